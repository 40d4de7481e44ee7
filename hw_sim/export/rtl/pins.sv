// The network behind a few pins: pixels come in bit by bit, most significant first, one with every cycle that has
// `shift` high; the last bit of the last pixel starts the run. `answer` holds once `busy` has fallen.
module pins #(
`include "parameters.svh"
) (
    input wire clk,
    input wire reset,
    input wire shift,
    input wire bit_in,
    output wire busy,
    output wire [ANSWER_BITS-1:0] answer
);
  reg [STATE_BITS-1:0] word;
  reg [7:0] bits;
  reg [PIXEL_BITS-1:0] pixel_address;
  reg write, start;
  wire last_bit = bits == STATE_BITS - 1;
  always @(posedge clk) begin
    write <= shift && last_bit;
    start <= write && pixel_address == PIXELS - 1;
    if (shift) begin
      word <= {word, bit_in};
      bits <= last_bit ? 0 : bits + 1;
    end
    if (write) pixel_address <= pixel_address == PIXELS - 1 ? 0 : pixel_address + 1;
    if (reset) {bits, pixel_address, write, start} <= 0;
  end
  network core (
      .clk(clk),
      .reset(reset),
      .pixel_write(write),
      .pixel_address(pixel_address),
      .pixel(word),
      .start(start),
      .busy(busy),
      .answer(answer)
  );
endmodule
