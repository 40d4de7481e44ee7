// Size normalisation, number for number that of retronet/reading/normalise.py; `frame` says where a digit lies.
"use strict";

const RetronetNormalise = (() => {
  const EVEN = 1e-9;

  // The share of each of `count` cells, `scale` pixels wide and laid from `start` on, that lies on each pixel.
  function coverage(count, size, start, scale) {
    const share = new Float64Array(size * count);
    for (let pixel = 0; pixel < size; pixel++) {
      for (let cell = 0; cell < count; cell++) {
        const begin = start + scale * cell;
        const overlap = Math.min(pixel + 1, begin + scale) - Math.max(pixel, begin);
        share[pixel * count + cell] = Math.max(overlap, 0) / scale;
      }
    }
    return share;
  }

  // Where the first cell begins: with the box at the frame's middle, or with the centre of its ink there.
  function beginning(sums, frame, length, scale) {
    if (frame.centre === "box") return frame.middle - length / 2;
    let moment = 0, mass = 0;
    sums.forEach((sum, index) => {
      moment += sum * (index + 0.5);
      mass += sum;
    });
    return frame.middle - (scale * moment) / mass;
  }

  // `ink`, row by row: 0 is paper, larger numbers are darker. Returns a Float32Array, or null without ink.
  return function normalised(ink, rows, columns, frame) {
    let top = rows, bottom = -1, left = columns, right = -1;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (ink[row * columns + column]) {
          top = Math.min(top, row);
          bottom = row;
          left = Math.min(left, column);
          right = Math.max(right, column);
        }
      }
    }
    if (bottom < 0) return null;
    const { size, box } = frame, high = bottom + 1 - top, wide = right + 1 - left, longer = Math.max(high, wide);
    const at = (row, column) => ink[(top + row) * columns + left + column];
    const downSums = new Float64Array(high), acrossSums = new Float64Array(wide);
    for (let row = 0; row < high; row++) {
      for (let column = 0; column < wide; column++) {
        downSums[row] += at(row, column);
        acrossSums[column] += at(row, column);
      }
    }
    const [down, across] = [[high, downSums], [wide, acrossSums]].map(([count, sums]) => {
      const length = (box * count) / longer, scale = length / count;
      return coverage(count, size, beginning(sums, frame, length, scale), scale);
    });
    const half = new Float64Array(size * wide), grey = new Float64Array(size * size);
    for (let row = 0; row < high; row++) {
      for (let pixel = 0; pixel < size; pixel++) {
        const share = down[pixel * high + row];
        if (share) for (let column = 0; column < wide; column++) half[pixel * wide + column] += share * at(row, column);
      }
    }
    for (let column = 0; column < wide; column++) {
      for (let pixel = 0; pixel < size; pixel++) {
        const share = across[pixel * wide + column];
        if (share) for (let row = 0; row < size; row++) grey[row * size + pixel] += half[row * wide + column] * share;
      }
    }
    const least = Math.min(...grey), most = Math.max(...grey), depth = frame.high - frame.low;
    if (most - least <= EVEN * most) return new Float32Array(size * size).fill(frame.high);
    return Float32Array.from(grey, (each) => (depth * (each - least)) / (most - least) + frame.low);
  };
})();
