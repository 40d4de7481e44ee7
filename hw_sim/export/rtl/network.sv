// A network of integers, layer after layer, MACS products a cycle. Sizes and words come from parameters.svh, what
// each layer needs from layers.svh, its numbers from the .mem files; this file is the same for every network.
//
//   issue     controller: which state and which weights the next MAC reads
//   fetch     one cycle in the memories
//   multiply  MACS maps take the same state, each with its own weight
//   add       sums start with their biases; a max pool keeps the largest instead, from the smallest state on
//   drain     finished sums leave one by one: last bias, pre-activation, activation, state
//
// A digit is written through pixel_write while the circuit is idle; then start. `answer` holds once busy has fallen.
module network #(
`include "parameters.svh"
) (
    input wire clk,
    input wire reset,
    input wire pixel_write,
    input wire [PIXEL_BITS-1:0] pixel_address,
    input wire signed [STATE_BITS-1:0] pixel,
    input wire start,
    output reg busy,
    output reg [ANSWER_BITS-1:0] answer,
    // Every unit as it is finished, for test benches; unit counts through all layers.
    output wire unit_valid,
    output wire [UNIT_BITS-1:0] unit,
    output wire signed [SUM_BITS-1:0] unit_sum,
    output wire signed [STATE_BITS-1:0] unit_state
);
`include "layers.svh"

  // ---------------------------------------------------------------- controller
  reg [LAYER_BITS-1:0] layer;
  reg [GROUP_BITS-1:0] groups_left;
  reg [UNIT_BITS-1:0] group_unit, position;
  reg [MAP_BITS-1:0] group_map;
  reg [COUNT_BITS-1:0] output_row, output_column, kernel_row, kernel_column;
  reg signed [ROW_BITS-1:0] unit_row, unit_column, tap_row, tap_column;
  reg [ADDRESS_BITS-1:0] unit_row_address, tap_row_address;
  reg [PLANE_ADDRESS_BITS-1:0] plane_first, plane;
  reg [WEIGHT_ADDRESS_BITS-1:0] weight_first, weight;
  reg at_first, loading, working;
  reg [FLUSH_BITS-1:0] flush;
  // The pipeline holds what belongs to one unit, so first taps keep a distance, and last taps too.
  reg [2:0] start_pause;
  reg [SPACE_BITS-1:0] end_pause;

  (* ram_style = "logic", rom_style = "logic" *) reg [ADDRESS_BITS:0] planes[0:PLANE_WORDS-1];
  initial $readmemh("planes.mem", planes);
  wire [ADDRESS_BITS:0] plane_word = planes[plane];
  wire last_plane = plane_word[ADDRESS_BITS];

  wire last_kernel_column = kernel_column == kernel_columns(layer);
  wire last_kernel_row = kernel_row == kernel_rows(layer);
  wire step_plane = PLANE_FASTEST ? 1'b1 : last_kernel_column && last_kernel_row;
  wire step_column = PLANE_FASTEST ? last_plane : 1'b1;
  wire step_row = step_column && last_kernel_column;
  wire last_tap = last_plane && last_kernel_column && last_kernel_row;
  wire last_column = output_column == output_columns(layer);
  wire last_position = last_column && output_row == output_rows(layer);
  wire last_group = groups_left == 0;
  wire [LANE_BITS-1:0] lanes = last_group ? tail_lanes(layer) : MACS;
  wire [LANE_BITS-1:0] lanes_above =
      last_group ? lanes_of_next_layer(layer) : groups_left == 1 ? tail_lanes(layer) : MACS;

  wire biases_ready;
  wire may_start = !at_first || (biases_ready && start_pause == 0);
  wire may_end = !last_tap || end_pause == 0;
  wire issue = working && may_start && may_end;
  wire end_of_unit = issue && last_tap;
  wire end_of_layer = end_of_unit && last_position && last_group;
  wire start_layer = loading && flush == 0;

  always @(posedge clk) begin
    if (start_pause != 0) start_pause <= start_pause - 1;
    if (end_pause != 0) end_pause <= end_pause - 1;
    if (flush != 0) flush <= flush - 1;
    if (start_layer) begin
      loading <= 0;
      working <= 1;
      at_first <= 1;
      groups_left <= groups(layer);
      group_unit <= first_unit(layer);
      group_map <= 0;
      {position, output_row, output_column, kernel_row, kernel_column} <= 0;
      unit_row <= first_row(layer);
      tap_row <= first_row(layer);
      unit_row_address <= first_row_address(layer);
      tap_row_address <= first_row_address(layer);
      unit_column <= first_column(layer);
      tap_column <= first_column(layer);
    end
    if (issue) begin
      at_first <= last_tap;
      if (at_first) start_pause <= 4;
      weight <= weight + 1;
      if (step_plane) plane <= last_plane ? plane_first : plane + 1;
      if (step_column) begin
        kernel_column <= last_kernel_column ? 0 : kernel_column + 1;
        tap_column <= last_kernel_column ? unit_column : tap_column + 1;
      end
      if (step_row) begin
        kernel_row <= last_kernel_row ? 0 : kernel_row + 1;
        tap_row <= last_kernel_row ? unit_row : tap_row + 1;
        tap_row_address <= last_kernel_row ? unit_row_address : tap_row_address + columns(layer);
      end
    end
    if (end_of_unit) begin
      end_pause <= SPACING - 1;
      position <= last_position ? 0 : position + 1;
      output_column <= last_column ? 0 : output_column + 1;
      unit_column <= last_column ? first_column(layer) : unit_column + column_stride(layer);
      tap_column <= last_column ? first_column(layer) : unit_column + column_stride(layer);
      if (last_column) begin
        output_row <= last_position ? 0 : output_row + 1;
        unit_row <= last_position ? first_row(layer) : unit_row + row_stride(layer);
        tap_row <= last_position ? first_row(layer) : unit_row + row_stride(layer);
        unit_row_address <= last_position ? first_row_address(layer) : unit_row_address + row_step(layer);
        tap_row_address <= last_position ? first_row_address(layer) : unit_row_address + row_step(layer);
      end
      if (!last_position) weight <= weight_first;
      else begin
        weight_first <= weight + 1;
        groups_left <= groups_left - 1;
        group_unit <= group_unit + group_step(layer);
        group_map <= group_map + MACS;
        if (own_planes(layer) || last_group) begin
          plane_first <= plane + 1;
          plane <= plane + 1;
        end
      end
    end
    if (end_of_layer) begin
      working <= 0;
      flush <= FLUSH;
      if (layer != LAYERS - 1) loading <= 1;
    end
    // The layer of everything behind the issue stage is the same, so it changes when all is drained.
    if (loading && flush == 1) layer <= layer + 1;
    if (!loading && !working && flush == 1) busy <= 0;
    if (start && !busy) begin
      busy <= 1;
      loading <= 1;
      flush <= 0;
      layer <= 0;
      {plane_first, plane, weight_first, weight} <= 0;
    end
    if (reset) {busy, loading, working, flush, start_pause, end_pause, layer} <= 0;
  end

  // ---------------------------------------------------------------- fetch
  wire outside = tap_row < 0 || tap_row >= rows(layer) || tap_column < 0 || tap_column >= columns(layer);
  reg [3:1] valid, first, last;
  reg finished;
  reg [2:1] at_border;
  reg [ADDRESS_BITS-1:0] state_address;
  reg [WEIGHT_ADDRESS_BITS-1:0] weight_address;
  reg [UNIT_BITS-1:0] ended_unit;
  reg [MAP_BITS-1:0] ended_map;
  reg [LANE_BITS-1:0] ended_lanes, lanes_next;
  always @(posedge clk) begin
    valid <= {valid[2:1], issue};
    first <= {first[2:1], at_first};
    last <= {last[2:1], last_tap};
    finished <= valid[3] && last[3];
    at_border <= {at_border[1], outside};
    state_address <= input_place(layer) + plane_word[ADDRESS_BITS-1:0] + tap_row_address + tap_column;
    weight_address <= weight;
    if (issue && at_first)
      lanes_next <= last_position ? lanes_above : bias_per_unit(layer) ? lanes : 0;
    if (end_of_unit) begin
      ended_unit <= group_unit + position;
      ended_map <= group_map;
      ended_lanes <= lanes;
    end
    if (reset) {valid, finished} <= 0;
  end

  wire [STATE_BITS-1:0] state_word;
  wire [MACS*WEIGHT_BITS-1:0] weight_word;
  wire write_state;
  wire [ADDRESS_BITS-1:0] write_address;
  ram #(
      .BITS(STATE_BITS),
      .WORDS(STATE_WORDS),
      .ADDRESS_BITS(ADDRESS_BITS)
  ) states (
      .clk(clk),
      .write(busy ? write_state : pixel_write),
      .write_address(busy ? write_address : input_place(0) + pixel_address),
      .write_word(busy ? unit_state : pixel),
      .address(state_address),
      .word(state_word)
  );
  rom #(
      .BITS(MACS * WEIGHT_BITS),
      .WORDS(WEIGHT_WORDS),
      .ADDRESS_BITS(WEIGHT_ADDRESS_BITS),
      .FILE("weights.mem")
  ) weights (
      .clk(clk),
      .address(weight_address),
      .word(weight_word)
  );

  // ---------------------------------------------------------------- biases, fetched while the unit before adds
  reg [LANE_BITS-1:0] bias_left, bias_lane, bias_arriving_lane;
  reg bias_arriving;
  reg [BIAS_ADDRESS_BITS-1:0] bias_address;
  wire signed [BIAS_BITS-1:0] bias_word;
  wire take_biases = valid[3] && first[3];
  assign biases_ready = bias_left == 0 && !bias_arriving;
  rom #(
      .BITS(BIAS_BITS),
      .WORDS(BIAS_WORDS),
      .ADDRESS_BITS(BIAS_ADDRESS_BITS),
      .FILE("biases.mem")
  ) biases (
      .clk(clk),
      .address(bias_address),
      .word(bias_word)
  );
  always @(posedge clk) begin
    bias_arriving <= bias_left != 0;
    bias_arriving_lane <= bias_lane;
    if (bias_left != 0) begin
      bias_left <= bias_left - 1;
      bias_lane <= bias_lane + 1;
      bias_address <= bias_address + 1;
    end
    if (take_biases) begin
      bias_left <= lanes_next;
      bias_lane <= 0;
    end
    if (start && !busy) begin
      bias_left <= FIRST_LANES;
      bias_lane <= 0;
      bias_address <= 0;
    end
    if (reset) {bias_left, bias_arriving} <= 0;
  end

  // ---------------------------------------------------------------- multiply and add
  wire signed [STATE_BITS-1:0] tap = at_border[2] ? border(layer) : state_word;
  wire [MACS*SUM_BITS-1:0] sums;
  wire [MACS*BIAS_BITS-1:0] last_biases;
  genvar lane;
  generate
    for (lane = 0; lane < MACS; lane = lane + 1) begin : lane_of
      wire signed [WEIGHT_BITS-1:0] own_weight = weight_word[lane*WEIGHT_BITS+:WEIGHT_BITS];
      reg signed [PRODUCT_BITS-1:0] product;
      reg signed [BIAS_BITS-1:0] bias, last_bias;
      reg signed [SUM_BITS-1:0] sum;
      wire signed [SUM_BITS-1:0] bias_at_start = bias_at_end(layer) ? 0 : bias;
      always @(posedge clk) begin
        // A map has the weight 0 for planes that others of its group see, and takes nothing of these.
        product <= keeps_largest(layer) && own_weight == 0 ? border(layer) : own_weight * tap;
        if (valid[3]) sum <= accumulate(layer, first[3] ? bias_at_start : sum, product);
        if (bias_arriving && bias_arriving_lane == lane) bias <= bias_word;
        if (take_biases) last_bias <= bias_at_end(layer) ? bias : 0;
      end
      assign sums[lane*SUM_BITS+:SUM_BITS] = sum;
      assign last_biases[lane*BIAS_BITS+:BIAS_BITS] = last_bias;
    end
  endgenerate

  // ---------------------------------------------------------------- drain
  reg [MACS*SUM_BITS-1:0] drain;
  reg [MACS*BIAS_BITS-1:0] drain_biases;
  reg [LANE_BITS-1:0] drain_left;
  reg [UNIT_BITS-1:0] drain_unit;
  reg [MAP_BITS-1:0] drain_map;
  wire signed [SUM_BITS-1:0] drained = drain[SUM_BITS-1:0];
  wire signed [BIAS_BITS-1:0] drained_bias = drain_biases[BIAS_BITS-1:0];
  always @(posedge clk) begin
    if (drain_left != 0) begin
      drain <= drain >> SUM_BITS;
      drain_biases <= drain_biases >> BIAS_BITS;
      drain_left <= drain_left - 1;
      drain_unit <= drain_unit + positions(layer);
      drain_map <= drain_map + 1;
    end
    if (finished) begin
      drain <= sums;
      drain_biases <= last_biases;
      drain_left <= ended_lanes;
      drain_unit <= ended_unit;
      drain_map <= ended_map;
    end
    if (reset) drain_left <= 0;
  end

  // ---------------------------------------------------------------- last bias, pre-activation
  // Stages 0 and 1 hold a sum with its biases and a pre-activation; then each step of the search takes two.
  localparam integer STAGES = 2 * DEPTH + 4;
  reg [STAGES-1:0] stage_valid;
  reg [STAGES*UNIT_BITS-1:0] stage_unit;
  reg [STAGES*SUM_BITS-1:0] stage_sum;
  reg signed [BIASED_BITS-1:0] biased;
  reg signed [PREACTIVATION_BITS-1:0] preactivation;
  reg [TABLE_BITS-1:0] biased_table, preactivation_table;
  wire [SCALE_BITS-1:0] scale_word;
  rom #(
      .BITS(SCALE_BITS),
      .WORDS(SCALE_WORDS),
      .ADDRESS_BITS(SCALE_ADDRESS_BITS),
      .FILE("scales.mem")
  ) scales (
      .clk(clk),
      .address(scale_of(layer, drain_map)),
      .word(scale_word)
  );
  always @(posedge clk) begin
    stage_valid <= {stage_valid[STAGES-2:0], drain_left != 0};
    stage_unit <= {stage_unit[(STAGES-1)*UNIT_BITS-1:0], drain_unit};
    stage_sum <= {stage_sum[(STAGES-1)*SUM_BITS-1:0], drained};
    biased <= add_last(layer, drained, drained_bias);
    biased_table <= table_of(layer, drain_map);
    preactivation <= prepare(layer, biased, scale_word);
    preactivation_table <= biased_table;
    if (reset) stage_valid <= 0;
  end

  // ---------------------------------------------------------------- activation: a cast, or a binary search
  // Level `step` of the search trees is a memory of its own, so that a sum can enter every cycle: one cycle fetches the
  // threshold, one compares.
  reg signed [THRESHOLD_BITS-1:0] held;
  reg signed [STATE_BITS-1:0] cast_first;
  reg [TABLE_BITS-1:0] table_first;
  wire [(DEPTH+1)*THRESHOLD_BITS-1:0] values;
  wire [(DEPTH+1)*STATE_BITS-1:0] casts;
  wire [(DEPTH+1)*TABLE_BITS-1:0] tables;
  wire [(DEPTH+1)*(DEPTH+1)-1:0] places;
  always @(posedge clk) begin
    held <= preactivation < LEAST_VALUE ? LEAST_VALUE
        : preactivation > MOST_VALUE ? MOST_VALUE : preactivation;
    cast_first <= cast_state(layer, preactivation);
    table_first <= preactivation_table;
  end
  assign values[THRESHOLD_BITS-1:0] = held;
  assign casts[STATE_BITS-1:0] = cast_first;
  assign tables[TABLE_BITS-1:0] = table_first;
  assign places[DEPTH:0] = 0;
  genvar step;
  generate
    for (step = 0; step < DEPTH; step = step + 1) begin : step_of
      wire [THRESHOLD_BITS-1:0] value = values[step*THRESHOLD_BITS+:THRESHOLD_BITS];
      wire [TABLE_BITS-1:0] own_table = tables[step*TABLE_BITS+:TABLE_BITS];
      wire [DEPTH:0] place = places[step*(DEPTH+1)+:DEPTH+1];
      wire signed [THRESHOLD_BITS-1:0] threshold;
      wire [TABLE_BITS+step-1:0] wide_table = own_table;
      wire [TABLE_BITS+step-1:0] threshold_address = (wide_table << step) + place;
      reg signed [THRESHOLD_BITS-1:0] value_held;
      reg [THRESHOLD_BITS-1:0] value_after;
      reg [STATE_BITS-1:0] cast_held, cast_after;
      reg [TABLE_BITS-1:0] table_held, table_after;
      reg [DEPTH:0] place_held, place_after;
      if ((TABLES << step) <= LOGIC_WORDS) begin : in_logic
        logic_rom #(
            .BITS(THRESHOLD_BITS),
            .WORDS(TABLES << step),
            .ADDRESS_BITS(TABLE_BITS + step),
            .FILE({"thresholds_", 8'd97 + step[7:0], ".mem"})
        ) thresholds (
            .clk(clk),
            .address(threshold_address),
            .word(threshold)
        );
      end else begin : in_memory
        rom #(
            .BITS(THRESHOLD_BITS),
            .WORDS(TABLES << step),
            .ADDRESS_BITS(TABLE_BITS + step),
            .FILE({"thresholds_", 8'd97 + step[7:0], ".mem"})
        ) thresholds (
            .clk(clk),
            .address(threshold_address),
            .word(threshold)
        );
      end
      always @(posedge clk) begin
        value_held <= value;
        cast_held <= casts[step*STATE_BITS+:STATE_BITS];
        table_held <= own_table;
        place_held <= place;
        value_after <= value_held;
        cast_after <= cast_held;
        table_after <= table_held;
        place_after <= (place_held << 1) + (value_held >= threshold);
      end
      assign values[(step+1)*THRESHOLD_BITS+:THRESHOLD_BITS] = value_after;
      assign casts[(step+1)*STATE_BITS+:STATE_BITS] = cast_after;
      assign tables[(step+1)*TABLE_BITS+:TABLE_BITS] = table_after;
      assign places[(step+1)*(DEPTH+1)+:DEPTH+1] = place_after;
    end
  endgenerate
  wire [TABLE_BITS-1:0] last_table = tables[DEPTH*TABLE_BITS+:TABLE_BITS];
  wire [DEPTH:0] last_place = places[DEPTH*(DEPTH+1)+:DEPTH+1];
  wire [STATE_BITS-1:0] last_cast = casts[DEPTH*STATE_BITS+:STATE_BITS];

  // ---------------------------------------------------------------- state
  reg [STATE_BITS-1:0] counted_state, cast_result;
  wire [STATE_BITS-1:0] listed_state;
  always @(posedge clk) begin
    counted_state <= lowest_state(last_table) + last_place;
    cast_result <= last_cast;
  end
  generate
    if (LEVEL_WORDS != 0) begin : listed
      rom #(
          .BITS(STATE_BITS),
          .WORDS(LEVEL_WORDS),
          .ADDRESS_BITS(TABLE_BITS + DEPTH),
          .FILE("levels.mem")
      ) levels (
          .clk(clk),
          .address({last_table, last_place[DEPTH-1:0]}),
          .word(listed_state)
      );
    end else begin : counted
      assign listed_state = counted_state;
    end
  endgenerate
  assign unit_valid = stage_valid[STAGES-1];
  assign unit = stage_unit[STAGES*UNIT_BITS-1-:UNIT_BITS];
  assign unit_sum = stage_sum[STAGES*SUM_BITS-1-:SUM_BITS];
  assign unit_state = searched(layer) ? listed_state : cast_result;
  assign write_state = unit_valid;
  assign write_address = unit + output_place(layer);

  // ---------------------------------------------------------------- answer: the largest output, the first of equals
  reg signed [STATE_BITS-1:0] largest;
  reg answered;
  wire [UNIT_BITS-1:0] class_of_unit = unit - first_unit(LAYERS - 1);
  always @(posedge clk) begin
    if (unit_valid && layer == LAYERS - 1) begin
      answered <= 1;
      if (!answered || unit_state > largest || (unit_state == largest && class_of_unit < answer)) begin
        answer <= class_of_unit[ANSWER_BITS-1:0];
        largest <= unit_state;
      end
    end
    if (start && !busy) answered <= 0;
  end
endmodule
