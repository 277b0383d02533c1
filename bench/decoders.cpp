// Decoders of shapes that are told at run time, end to end: what the programs run.
//
//   decoders --size TinyLlama --dtype int8 --prompt 512 --new-tokens 64
#include "end_to_end.hpp"

#include <transept/models/gpt2.hpp>
#include <transept/models/llama.hpp>
#include <transept/models/neox.hpp>

namespace {

/// One of the family's run-time type, of this shape; `change` is told its settings.
template <class Family, class Change = decltype([](typename Family::settings&) {})>
auto measure(const typename Family::config& shape, Change change = {}) {
  return [shape, change](const bench::settings& chosen) {
    typename Family::settings settings;
    settings.bos_token_id.reset();
    settings.eos_token_ids.clear();
    if constexpr (requires { settings.rotary; }) {
      settings.rotary.width = static_cast<std::size_t>(shape.head_width);
      settings.rotary.max_position_embeddings = static_cast<std::size_t>(shape.n_positions);
    }
    change(settings);
    return bench::measure_model(chosen, [&](const transept::initialise_options& options) {
      return transept::initialise<transept::any_shape<Family>>(shape, settings, chosen.seed, options);
    });
  };
}

} // namespace

int main(int argc, char** argv) {
  using namespace transept;
  const llama_config smollm2{.n_embd = 576,
                             .n_layer = 30,
                             .n_head = 9,
                             .vocab_size = 49152,
                             .n_positions = 8192,
                             .n_inner = 1536,
                             .tie_word_embeddings = true,
                             .n_key_value_head = 3};
  const auto a_quarter = [](neox_settings& s) { s.rotary.width /= 4; };
  return bench::run_program(argc, argv, "decoders", "Decoder",
                            {{"GPT-2-124M", measure<gpt2_family>(gpt2_small)},
                             {"GPT-2-774M", measure<gpt2_family>(gpt2_large)},
                             {"TinyLlama", measure<llama_family>(tiny_llama)},
                             {"SmolLM2-135M", measure<llama_family>(smollm2)},
                             {"Pythia-160M", measure<neox_family>(pythia_160m, a_quarter)}},
                            "TinyLlama");
}
