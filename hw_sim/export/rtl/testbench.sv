// Runs every digit of digits.mem and compares all sums, states, answers and the cycles with the simulator's.
`timescale 1ns / 1ns
module testbench #(
`include "parameters.svh"
);
  reg clk = 0, reset = 1, pixel_write = 0, start = 0;
  reg [PIXEL_BITS-1:0] pixel_address;
  reg signed [STATE_BITS-1:0] pixel;
  wire busy, unit_valid;
  wire [ANSWER_BITS-1:0] answer;
  wire [UNIT_BITS-1:0] unit;
  wire signed [SUM_BITS-1:0] unit_sum;
  wire signed [STATE_BITS-1:0] unit_state;
  network tested (
      .clk(clk),
      .reset(reset),
      .pixel_write(pixel_write),
      .pixel_address(pixel_address),
      .pixel(pixel),
      .start(start),
      .busy(busy),
      .answer(answer),
      .unit_valid(unit_valid),
      .unit(unit),
      .unit_sum(unit_sum),
      .unit_state(unit_state)
  );

  reg [STATE_BITS-1:0] digits[0:DIGITS*PIXELS-1];
  reg [SUM_BITS-1:0] sums[0:DIGITS*UNITS-1];
  reg [STATE_BITS-1:0] states[0:DIGITS*UNITS-1];
  reg [31:0] answers[0:DIGITS-1];
  initial begin
    $readmemh("digits.mem", digits);
    $readmemh("sums.mem", sums);
    $readmemh("states.mem", states);
    $readmemh("answers.mem", answers);
  end

  integer differences = 0, taken = 0, seen = 0, digit, index;
  always #1 clk = !clk;
  always @(posedge clk)
    if (busy) begin
      taken = taken + 1;
      if (unit_valid) begin
        seen = seen + 1;
        if (unit_sum !== sums[digit*UNITS+unit]) differences = differences + 1;
        if (unit_state !== states[digit*UNITS+unit]) differences = differences + 1;
      end
    end

  initial begin
    repeat (2) @(negedge clk);
    reset = 0;
    for (digit = 0; digit < DIGITS; digit = digit + 1) begin
      for (index = 0; index < PIXELS; index = index + 1) begin
        pixel_write = 1;
        pixel_address = index;
        pixel = digits[digit*PIXELS+index];
        @(negedge clk);
      end
      pixel_write = 0;
      start = 1;
      taken = 0;
      seen = 0;
      @(negedge clk);
      start = 0;
      while (busy && taken < 4 * CYCLES) @(negedge clk);
      if (seen != UNITS) differences = differences + 1;
      if (answer !== answers[digit][ANSWER_BITS-1:0]) differences = differences + 1;
      if (taken != CYCLES) differences = differences + 1;
    end
    $display("%0d digits, %0d units each: %0d differences; %0d cycles a digit", DIGITS, UNITS, differences, taken);
    if (differences != 0) $fatal(1);
    $finish(0);
  end
endmodule
