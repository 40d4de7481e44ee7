// Memories that every tool infers: one cycle from address to word.

module rom #(
    parameter integer BITS = 8,
    parameter integer WORDS = 2,
    parameter integer ADDRESS_BITS = 1,
    parameter FILE = "rom.mem"
) (
    input wire clk,
    input wire [ADDRESS_BITS-1:0] address,
    output reg [BITS-1:0] word
);
  reg [BITS-1:0] words[0:WORDS-1];
  initial $readmemh(FILE, words);
  always @(posedge clk) word <= words[address];
endmodule

// The same in logic cells, for what is not worth a memory block.
module logic_rom #(
    parameter integer BITS = 8,
    parameter integer WORDS = 2,
    parameter integer ADDRESS_BITS = 1,
    parameter FILE = "rom.mem"
) (
    input wire clk,
    input wire [ADDRESS_BITS-1:0] address,
    output reg [BITS-1:0] word
);
  (* ram_style = "logic", rom_style = "logic" *) reg [BITS-1:0] words[0:WORDS-1];
  initial $readmemh(FILE, words);
  wire [BITS-1:0] found = words[address];
  always @(posedge clk) word <= found;
endmodule

// One write and one read a cycle.
module ram #(
    parameter integer BITS = 8,
    parameter integer WORDS = 2,
    parameter integer ADDRESS_BITS = 1
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS_BITS-1:0] write_address,
    input wire [BITS-1:0] write_word,
    input wire [ADDRESS_BITS-1:0] address,
    output reg [BITS-1:0] word
);
  reg [BITS-1:0] words[0:WORDS-1];
  always @(posedge clk) begin
    if (write) words[write_address] <= write_word;
    word <= words[address];
  end
endmodule
