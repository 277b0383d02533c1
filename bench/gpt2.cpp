// GPT-2 end to end, each size a type of its own.
//
//   gpt2 --size 124M --dtype int8 --prompt 512 --new-tokens 64
//   gpt2 --size 124M --dtype bf16 --batch 16        the prompt continued sixteen times at once
//   gpt2 --size 124M --dtype f32 --save gpt2-random the weights as a folder too, for others to run
#include "end_to_end.hpp"

#include <transept/models/gpt2.hpp>

namespace {

template <transept::gpt2_config Config>
bench::measurement measure(const bench::settings& chosen) {
  return bench::measure_model(chosen, [&](const transept::initialise_options& options) {
    return transept::initialise<transept::gpt2<Config>>(chosen.seed, options);
  });
}

} // namespace

int main(int argc, char** argv) {
  return bench::run_program(argc, argv, "gpt2", "GPT-2",
                            {{"124M", measure<transept::gpt2_small>},
                             {"355M", measure<transept::gpt2_medium>},
                             {"774M", measure<transept::gpt2_large>},
                             {"1558M", measure<transept::gpt2_xl>}},
                            "124M");
}
