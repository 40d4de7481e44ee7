// A network on integers and in floating point, run in a page. `data` is what hw_sim.export.page makes.
// Integers are added in doubles where the proved bounds stay below 2^53, else as BigInt: both are exact.
"use strict";

const RetronetNetwork = (() => {
  const TYPES = {
    i1: Int8Array, i2: Int16Array, i4: Int32Array, i8: BigInt64Array, f4: Float32Array,
  };

  function unpacked(array) {
    const text = atob(array.data);
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    return new TYPES[array.type](bytes.buffer);
  }

  // The two kinds of whole numbers: the same operators work on either, shifts are here.
  const DOUBLES = {
    of: Number,
    up: (value, by) => value * 2 ** by,
    down: (value, by) => Math.floor(value / 2 ** by),
    odd: (value) => value - 2 * Math.floor(value / 2),
  };
  const LONG = {
    of: BigInt,
    up: (value, by) => value << BigInt(by),
    down: (value, by) => value >> BigInt(by),
    odd: (value) => value & 1n,
  };

  // What is added before bits are dropped: always, to negative numbers, and times the lowest bit that stays.
  function roundingTerms(rounding, half) {
    switch (rounding) {
      case "TRN": return [0n, 0n, 0n];
      case "TRN_ZERO": return [0n, 2n * half - 1n, 0n];
      case "RND": return [half, 0n, 0n];
      case "RND_ZERO": return [half - 1n, 1n, 0n];
      case "RND_MIN_INF": return [half - 1n, 0n, 0n];
      case "RND_INF": return [half, -1n, 0n];
      case "RND_CONV": return [half - 1n, 0n, 1n];
      default: throw new Error(`no rounding mode ${rounding}`);
    }
  }

  function fitter(form, word) {
    const low = word.of(form.low), high = word.of(form.high), nought = word.of(0);
    switch (form.overflow) {
      case "WRAP": return (value) => value - word.up(word.down(value - low, form.bits), form.bits);
      case "SAT_ZERO": return (value) => (value < low || value > high ? nought : value);
      default: return (value) => (value < low ? low : value > high ? high : value);
    }
  }

  // A cast of integers: drop `shift` bits as the rounding mode says, then bring the rest into the range.
  function caster(form, word) {
    const fit = fitter(form, word), shift = form.shift, nought = word.of(0);
    if (shift <= 0) return shift ? (value) => fit(word.up(value, -shift)) : fit;
    const [base, negative, odd] = roundingTerms(form.rounding, 1n << BigInt(shift - 1)).map(word.of);
    return (value) => {
      let lifted = value + base;
      if (value < nought) lifted += negative;
      if (odd) lifted += word.odd(word.down(value, shift));
      return fit(word.down(lifted, shift));
    };
  }

  // Adds one product to a sum.
  function adder(sums, word) {
    switch (sums.method) {
      case "exact": return (total, product) => total + product;
      case "largest": return (total, product) => (product > total ? product : total);
      case "fused": {
        const cast = caster(sums.total, word);
        return (total, product) => cast(word.up(total, sums.total_lift) + product);
      }
      case "product": {
        const cast = caster(sums.product, word), fit = fitter(sums.total, word);
        return (total, product) => fit(total + cast(product));
      }
      case "split": {
        const cast = caster(sums.product, word), whole = caster(sums.total, word);
        return (total, product) =>
          whole(word.up(total, sums.total_lift) + word.up(cast(product), sums.product_lift));
      }
      default: throw new Error(`no method of sums ${sums.method}`);
    }
  }

  // What comes between a sum and its activation, for map `m`.
  function stager(stage, word) {
    if (!stage) return (value) => value;
    if (!stage.requantise) return caster(stage, word);
    const half = word.of(2 ** 30), one = word.of(1), nought = word.of(0);
    const low = word.of(stage.low), high = word.of(stage.high);
    const factors = stage.multipliers.map(([factor, shift]) => [word.of(factor), shift]);
    return (value, m) => {
      const [factor, shift] = factors[factors.length > 1 ? m : 0];
      let scaled;
      if (stage.requantise === "single") {
        scaled = word.down(value * factor + word.up(one, 30 - shift), 31 - shift);
      } else {
        scaled = word.down(word.up(value, Math.max(shift, 0)) * factor + half, 31);
        if (shift < 0) {
          const away = scaled < nought ? one : nought;
          scaled = word.down(scaled + word.up(one, -shift - 1) - away, -shift);
        }
      }
      return scaled < low ? low : scaled > high ? high : scaled;
    };
  }

  // How many thresholds, in ascending order, a sum has reached.
  function reached(thresholds, total) {
    let low = 0, high = thresholds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (thresholds[middle] <= total) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function activation(layer, word) {
    if (layer.state) {
      const cast = caster(layer.state, word), nought = word.of(0);
      return (value) => Number(cast(layer.rectify && value < nought ? nought : value));
    }
    const stairs = layer.stairs.map((each) => [
      Array.from(unpacked(each.thresholds), word.of), Array.from(unpacked(each.levels), Number),
    ]);
    return (value, m) => {
      const [thresholds, levels] = stairs[stairs.length > 1 ? m : 0];
      return levels[reached(thresholds, value)];
    };
  }

  // Which input each tap reads: one list of positions × taps for each set of planes; planes × area is the border.
  function connections(layer, order) {
    const [, rows, columns] = layer.shape, positions = rows * columns;
    const within = unpacked(layer.within), kernel = within.length / positions;
    const lists = new Map();
    return layer.sees.map((planes) => {
      const key = planes.join();
      if (lists.has(key)) return lists.get(key);
      const taps = planes.length * kernel, sources = new Int32Array(positions * taps);
      for (let position = 0; position < positions; position++) {
        for (let tap = 0; tap < kernel; tap++) {
          const place = within[position * kernel + tap];
          planes.forEach((plane, index) => {
            const at = order === "plane_fastest" ? tap * planes.length + index : index * kernel + tap;
            sources[position * taps + at] =
              place === layer.area ? layer.planes * layer.area : plane * layer.area + place;
          });
        }
      }
      lists.set(key, { taps, sources });
      return lists.get(key);
    });
  }

  function integerLayer(layer, order) {
    const word = layer.long_sums ? LONG : DOUBLES, after = layer.long_stage ? LONG : DOUBLES;
    const [maps, rows, columns] = layer.shape, positions = rows * columns, units = maps * positions;
    const read = connections(layer, order), most = Math.max(...read.map((each) => each.taps));
    const weights = Array.from(unpacked(layer.weights), word.of);
    const starts = Array.from(unpacked(layer.starts), word.of);
    const ends = Array.from(unpacked(layer.ends), after.of);
    const add = adder(layer.sums, word), stage = stager(layer.stage, after), squash = activation(layer, after);
    const exact = layer.sums.method === "exact";

    return (states) => {
      const inputs = Array.from(states, word.of);
      inputs.push(word.of(layer.border));
      const made = { sums: [], after_bias: [], preactivations: [], states: new Array(units) };
      for (let m = 0, unit = 0; m < maps; m++) {
        const { taps, sources } = read[m];
        for (let position = 0; position < positions; position++, unit++) {
          let total = starts[unit];
          const row = m * most, first = position * taps;
          if (exact) {
            for (let tap = 0; tap < taps; tap++) total += weights[row + tap] * inputs[sources[first + tap]];
          } else {
            for (let tap = 0; tap < taps; tap++) {
              total = add(total, weights[row + tap] * inputs[sources[first + tap]]);
            }
          }
          const biased = after.up(after.of(total), layer.lift) + ends[unit];
          const prepared = stage(biased, m);
          made.sums.push(total);
          made.after_bias.push(biased);
          made.preactivations.push(prepared);
          made.states[unit] = squash(prepared, m);
        }
      }
      return made;
    };
  }

  const FUNCTIONS = {
    tanh: ({ amplitude, slope }) => (value) => amplitude * Math.tanh(slope * value),
    relu: () => (value) => Math.max(value, 0),
    identity: () => (value) => value,
    sigmoid: () => (value) => 1 / (1 + Math.exp(-value)),
    hard_tanh: ({ low, high }) => (value) => Math.min(Math.max(value, low), high),
  };

  // What a pool makes of the states in a window; places of the border count as nothing, and in a mean as 0.
  const POOLS = {
    max_pool: (window) => Math.max(...window.filter((state) => state !== undefined)),
    average_pool: (window) => window.reduce((sum, state) => sum + (state ?? 0), 0) / window.length,
  };

  function poolLayer(layer, order) {
    const [maps, rows, columns] = layer.shape, positions = rows * columns, read = connections(layer, order);
    const pool = POOLS[layer.kind], squash = FUNCTIONS[layer.activation.kind](layer.activation);
    return (states) => Array.from({ length: maps * positions }, (_, unit) => {
      const { taps, sources } = read[Math.floor(unit / positions)], first = (unit % positions) * taps;
      return squash(pool(Array.from(sources.subarray(first, first + taps), (source) => states[source])));
    });
  }

  function floatLayer(layer, order) {
    if (layer.codes) {
      const codes = unpacked(layer.codes);
      return (states) => distances(codes, layer.shape[0], states, (state, code) => (state - code) ** 2);
    }
    if (layer.kind in POOLS) return poolLayer(layer, order);
    const [maps, rows, columns] = layer.shape, positions = rows * columns;
    const read = connections(layer, order), most = Math.max(...read.map((each) => each.taps));
    const weights = unpacked(layer.weights), biases = unpacked(layer.biases);
    const squash = FUNCTIONS[layer.activation.kind](layer.activation);
    return (states) => {
      const inputs = Float64Array.of(...states, layer.border), made = new Array(maps * positions);
      for (let m = 0, unit = 0; m < maps; m++) {
        const { taps, sources } = read[m];
        for (let position = 0; position < positions; position++, unit++) {
          let total = biases[unit];
          for (let tap = 0; tap < taps; tap++) {
            total += weights[m * most + tap] * inputs[sources[position * taps + tap]];
          }
          made[unit] = squash(total);
        }
      }
      return made;
    };
  }

  function distances(codes, classes, states, square) {
    const inputs = codes.length / classes;
    return Array.from({ length: classes }, (_, row) =>
      -states.reduce((sum, state, index) => sum + square(state, codes[row * inputs + index]), 0));
  }

  // A real pixel as an integer of the input's format.
  function pixelCast(pixels) {
    if (pixels.edges) return (value) => pixels.levels[reached(pixels.edges, value / pixels.scale)];
    const cast = caster(pixels.cast, DOUBLES), far = 2 ** 50;
    return (pixel) => {
      const value = pixel / pixels.scale;
      let scaled = value * pixels.power;
      if (Math.abs(value) >= far / pixels.power) {
        const rest = (value % (2 ** 32 / pixels.power)) * pixels.power;
        scaled = pixels.cast.overflow === "WRAP" ? rest : Math.sign(value) * far;
      } else if (scaled === 0 && value !== 0) {
        scaled = Math.sign(value) / 4;
      }
      const doubled = 2 * scaled, whole = Math.floor(doubled);
      return cast(2 * whole + (doubled !== whole ? 1 : 0));
    };
  }

  function answer(outputs) {
    return outputs.indexOf(Math.max(...outputs));
  }

  return function RetronetNetwork(data) {
    const toInteger = pixelCast(data.pixels);
    const layers = data.layers.map((layer) => integerLayer(layer, data.tap_order));
    const floats = data.float.map((layer) => floatLayer(layer, data.tap_order));
    const codes = data.codes && unpacked(data.codes.rows);

    // Real pixels, row by row, to every integer: { pixels, layers: [{ sums, …, states }], outputs, answer }.
    function integers(image) {
      const pixels = Array.from(image, toInteger), made = [];
      layers.reduce((states, layer) => {
        made.push(layer(states));
        return made[made.length - 1].states;
      }, pixels);
      const last = made[made.length - 1].states;
      let outputs;
      if (codes) {
        const { step, step_squared, inputs, classes } = data.codes;
        const squares = last.reduce((sum, state) => sum + state * state, 0);
        outputs = Array.from({ length: classes }, (_, row) => {
          const product = last.reduce((sum, state, index) => sum + state * codes[row * inputs + index], 0);
          return 2 * step * product - (step_squared * squares + inputs);
        });
      } else {
        outputs = last.map((state) => state * data.layers[data.layers.length - 1].step);
      }
      return { pixels, layers: made, outputs, answer: answer(outputs) };
    }

    // The same in double precision from the trained parameters: { layers: [{ states }], outputs, answer }.
    function reals(image) {
      const made = [];
      floats.reduce((states, layer) => {
        made.push({ states: layer(states) });
        return made[made.length - 1].states;
      }, Array.from(image));
      const outputs = made[made.length - 1].states;
      return { layers: made, outputs, answer: answer(outputs) };
    }

    return { integers, reals };
  };
})();
