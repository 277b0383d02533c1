// Logits of every position, hidden states and attention probabilities as .npy files, for NumPy and whatever
// else wants to look.
//
//   logits --ids 464,3290 --out logits.npy --hidden-states hidden.npy --attentions attentions.npy
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include <common/any_model.hpp>
#include <common/checks.hpp>
#include <common/program.hpp>
#include <common/prompt.hpp>

#include <transept/io/npy.hpp>

namespace {

template <std::size_t Rank>
void write(const std::optional<std::filesystem::path>& path, const transept::array<Rank>& array) {
  if (!path) return;
  const auto& shape = array.shape();
  transept::write_npy(*path, std::span(array.data(), array.size()), std::span(shape.data(), shape.size()));
  std::cerr << path->string() << ": [";
  for (std::size_t i = 0; i < Rank; ++i) std::cerr << (i == 0 ? "" : ", ") << shape[i];
  std::cerr << "]\n";
}

/// One file, or one for each state where the last has another width.
void write_hidden_states(const std::optional<std::filesystem::path>& path, const transept::inspection& seen) {
  if (!path || seen.last_hidden_state.size() == 0) return write(path, seen.hidden_states);
  const auto& states = seen.hidden_states;
  const auto numbered = [&](std::size_t i) {
    auto name = *path;
    name.replace_extension();
    name += "_" + std::to_string(i);
    return std::optional(name += path->extension());
  };
  for (std::size_t i = 0; i < states.shape(0); ++i) {
    auto state = transept::make_array<2>({states.shape(1), states.shape(2)});
    std::copy_n(states.data() + i * state.size(), state.size(), state.data());
    write(numbered(i), state);
  }
  write(numbered(states.shape(0)), seen.last_hidden_state);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Writes a model's logits, hidden states and attention probabilities as .npy files (f32). Without "
      "--dtype, "
      "weights of bf16 are widened to f32, whose products round nothing to bf16 where processors can",
      "logits");
  examples::model_options common;
  examples::prompt_options input;
  std::optional<std::filesystem::path> logits, hidden_states, attentions;
  std::size_t context = 0;
  common.add_to(app);
  input.add_to(app);
  app.add_option("--out", logits, "Logits of every position: [tokens, vocab_size]")->type_name("FILE.npy");
  app.add_option(
         "--hidden-states", hidden_states,
         "The embeddings, then each block's output, the last after the final norm: "
         "[n_layer + 1, tokens, n_embd]; where widths differ, FILE_0.npy, FILE_1.npy, … of [tokens, width]")
      ->type_name("FILE.npy");
  app.add_option("--attentions", attentions,
                 "Attention probabilities: [n_layer, n_head, tokens, tokens], from each to each")
      ->type_name("FILE.npy");

  app.add_option(
         "--context", context,
         "Positions of the session, by which rotary positions that depend on a text's length are scaled; "
         "default: as many as tokens")
      ->type_name("N")
      ->check(examples::whole_number());

  return examples::run_program(app, argc, argv, [&] {
    if (!input.text && !input.ids) throw transept::argument_error("nothing to feed: give --ids or --prompt");
    if (!logits && !hidden_states && !attentions)
      throw transept::argument_error("nothing to write: give --out, --hidden-states or --attentions");
    const auto tokenizer = input.open_tokenizer(common.model);
    auto loading = common.load_options();
    auto model = examples::open_model(common.model, loading);
    if (!loading.type && examples::has_type(*model, transept::element_type::bf16)) { // to be exact
      loading.type = transept::element_type::f32;
      model = examples::open_model(common.model, loading);
    }
    const auto tokens = input.tokens(*model, tokenizer ? &*tokenizer : nullptr);
    auto options = common.session_options();
    if (context != 0 && context < tokens.size())
      throw transept::argument_error("--context must be at least the number of tokens, " +
                                     std::to_string(tokens.size()) + "; got " + std::to_string(context));
    options.capacity = model->capacity_for(std::max(context, tokens.size()));
    auto session = model->make_session(options);
    const transept::inspection seen = inspect(*model, session, tokens,
                                              {.hidden_states = hidden_states.has_value(),
                                               .attentions = attentions.has_value(),
                                               .logits = logits.has_value()});
    write(logits, seen.logits);
    write_hidden_states(hidden_states, seen);
    write(attentions, seen.attentions);
  });
}
