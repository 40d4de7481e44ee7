// Runs every digit of digits.mem and compares all sums, states, answers and the cycles with the simulator's.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>
#include "Vnetwork.h"
#include "verilated.h"

struct Words {
  int bits;
  std::vector<int64_t> at;
};

static int64_t extended(uint64_t word, int bits) {
  const int away = 64 - bits;
  return static_cast<int64_t>(word << away) >> away;
}

// A head that ends in "N words of B bits, …", then a word in hex on each line.
static Words read(const std::string& name) {
  std::ifstream file(name);
  std::string line;
  if (!std::getline(file, line)) {
    std::fprintf(stderr, "%s can not be read\n", name.c_str());
    std::exit(2);
  }
  Words words;
  words.bits = std::atoi(line.c_str() + line.find(" words of ") + 10);
  while (std::getline(file, line)) words.at.push_back(extended(std::strtoull(line.c_str(), nullptr, 16), words.bits));
  return words;
}

static Vnetwork* top;

static void tick() {
  top->clk = 1;
  top->eval();
  top->clk = 0;
  top->eval();
}

int main(int argc, char** argv) {
  Verilated::commandArgs(argc, argv);
  top = new Vnetwork;
  const Words pixels = read("digits.mem"), sums = read("sums.mem"), states = read("states.mem");
  const Words answers = read("answers.mem"), cycles = read("cycles.mem");
  const size_t digits = answers.at.size(), area = pixels.at.size() / digits, units = sums.at.size() / digits;
  top->clk = 0;
  top->start = 0;
  top->pixel_write = 0;
  top->reset = 1;
  tick();
  tick();
  top->reset = 0;
  size_t differences = 0;
  long taken = 0;
  for (size_t digit = 0; digit < digits; ++digit) {
    for (size_t pixel = 0; pixel < area; ++pixel) {
      top->pixel_write = 1;
      top->pixel_address = pixel;
      top->pixel = pixels.at[digit * area + pixel] & ((1LL << pixels.bits) - 1);
      tick();
    }
    top->pixel_write = 0;
    top->start = 1;
    tick();
    top->start = 0;
    size_t seen = 0;
    for (taken = 0; top->busy && taken < 4 * cycles.at[0]; ++taken) {
      if (top->unit_valid) {
        const size_t place = digit * units + top->unit;
        ++seen;
        differences += extended(top->unit_sum, sums.bits) != sums.at[place];
        differences += extended(top->unit_state, states.bits) != states.at[place];
      }
      tick();
    }
    differences += seen > units ? seen - units : units - seen;
    differences += static_cast<int64_t>(top->answer) != answers.at[digit];
    differences += taken != cycles.at[0];
  }
  std::printf("%zu digits, %zu units each: %zu differences; %ld cycles a digit\n", digits, units, differences, taken);
  delete top;
  return differences != 0;
}
