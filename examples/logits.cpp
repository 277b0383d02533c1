// Logits, hidden states and attention probabilities as .npy files, for NumPy and whatever else wants to look:
// of decoders, and of encoders with what their heads give.
//
//   logits --ids 464,3290 --out logits.npy --hidden-states hidden.npy --attentions attentions.npy
//   logits --model bert --ids 101,7592,102 --token-types 0,0,0 --out logits.npy --pooled pooled.npy
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <common/any_encoder.hpp>
#include <common/any_model.hpp>
#include <common/checks.hpp>
#include <common/program.hpp>
#include <common/prompt.hpp>

#include <transept/io/npy.hpp>
#include <transept/text/encoded_text.hpp>

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

using path = std::optional<std::filesystem::path>;

struct options {
  examples::model_options common;
  examples::prompt_options input;
  std::vector<std::string> token_types;
  path logits, hidden_states, attentions, pooled, next_sentence;
  std::size_t context = 0;

  void add_to(CLI::App& app) {
    common.add_to(app);
    input.add_to(app, /*takes_several*/ true);
    const auto add = [&](const char* name, path& to, const char* help) {
      return app.add_option(name, to, help)->type_name("FILE.npy");
    };
    add("--out", logits,
        "Logits of every position: [tokens, vocab_size]; of an encoder what its head gives: [tokens, "
        "outputs], "
        "[labels] of a text, [choices] where --ids is given several times");
    add("--hidden-states", hidden_states,
        "The embeddings, then each block's output, the last after the final norm: "
        "[n_layer + 1, tokens, n_embd]; where widths differ, FILE_0.npy, FILE_1.npy, … of [tokens, width]");
    add("--attentions", attentions,
        "Attention probabilities: [n_layer, n_head, tokens, tokens], from each to each");
    app.add_option("--context", context,
                   "Positions of the session, by which rotary positions that depend on a text's length are "
                   "scaled; default: as many as tokens")
        ->type_name("N")
        ->check(examples::whole_number());
    const std::string group = "Encoders";
    app.add_option("--token-types", token_types,
                   "Which part of its text each token is of, once for each --ids; default: 0 for all")
        ->type_name("0,0,1")
        ->allow_extra_args(false)
        ->group(group);
    add("--pooled", pooled, "What the pooler makes of the first token: [n_embd]")->group(group);
    add("--next-sentence", next_sentence,
        "Whether the second part follows the first, of a model with both "
        "heads of pretraining: [2]")
        ->group(group);
  }
};

void write_decoder(const options& chosen) {
  if (!chosen.token_types.empty() || chosen.pooled || chosen.next_sentence)
    throw transept::argument_error("--token-types, --pooled and --next-sentence are for encoders");
  if (chosen.input.ids.size() > 1)
    throw transept::argument_error(
        "--ids is given several times to encoders with a multiple-choice head only");
  const auto tokenizer = chosen.input.open_tokenizer(chosen.common.model);
  auto loading = chosen.common.load_options();
  auto model = examples::open_model(chosen.common.model, loading);
  if (!loading.type && examples::has_type(*model, transept::element_type::bf16)) { // to be exact
    loading.type = transept::element_type::f32;
    model = examples::open_model(chosen.common.model, loading);
  }
  const auto tokens = chosen.input.tokens(*model, tokenizer ? &*tokenizer : nullptr);
  auto options = chosen.common.session_options();
  if (chosen.context != 0 && chosen.context < tokens.size())
    throw transept::argument_error("--context must be at least the number of tokens, " +
                                   std::to_string(tokens.size()) + "; got " + std::to_string(chosen.context));
  options.capacity = model->capacity_for(std::max(chosen.context, tokens.size()));
  auto session = model->make_session(options);
  const transept::inspection seen = inspect(*model, session, tokens,
                                            {.hidden_states = chosen.hidden_states.has_value(),
                                             .attentions = chosen.attentions.has_value(),
                                             .logits = chosen.logits.has_value()});
  write(chosen.logits, seen.logits);
  write_hidden_states(chosen.hidden_states, seen);
  write(chosen.attentions, seen.attentions);
}

/// The texts of --ids and --token-types, or of --prompt with what its vocabulary puts around it.
transept::text_batch texts_of(const options& chosen) {
  transept::text_batch texts;
  if (chosen.input.text) {
    if (!chosen.token_types.empty())
      throw transept::argument_error("--token-types goes with --ids: of --prompt the vocabulary tells them");
    const auto input = encode_input(examples::open_tokenizer(chosen.common.model), *chosen.input.text,
                                    {.allows_special = chosen.input.allow_special});
    texts.add(input.ids, input.token_types);
    return texts;
  }
  if (!chosen.token_types.empty() && chosen.token_types.size() != chosen.input.ids.size())
    throw transept::argument_error("--token-types must be given as often as --ids, " +
                                   std::to_string(chosen.input.ids.size()) + "; got " +
                                   std::to_string(chosen.token_types.size()));
  for (std::size_t i = 0; i < chosen.input.ids.size(); ++i)
    texts.add(examples::ids_argument(chosen.input.ids[i]),
              chosen.token_types.empty() ? std::vector<int>()
                                         : examples::parse_ids(chosen.token_types[i], "--token-types"));
  return texts;
}

/// An array without the axes of texts and outputs where there is one.
void write_logits(const path& to, transept::encoder_head head, const transept::array<2>& logits) {
  using transept::encoder_head;
  const bool one_output = head == encoder_head::replaced_tokens || head == encoder_head::multiple_choice;
  if (is_per_token(head) && !one_output) return write(to, logits);
  write(to, transept::make_array<1>(logits.data(), {logits.size()}));
}

void write_encoder(const options& chosen) {
  if (chosen.context != 0) throw transept::argument_error("--context is for decoders");
  auto loading = chosen.common.load_options();
  if (!loading.type) loading.type = transept::element_type::f32; // to be exact
  const auto model = examples::open_encoder(chosen.common.model, loading);
  const transept::text_batch texts = texts_of(chosen);
  const bool has_choices = model->settings.head == transept::encoder_head::multiple_choice;
  if (texts.size() > 1 && !has_choices)
    throw transept::argument_error(
        "--ids is given several times to encoders with a multiple-choice head only");
  transept::encoder_session session({.threads = chosen.common.threads});
  const auto seen = encode(*model, session, texts.input(),
                           {.pooled = chosen.pooled.has_value(),
                            .logits = chosen.logits.has_value(),
                            .next_sentence = chosen.next_sentence.has_value()});
  transept::inspection inside;
  if (chosen.hidden_states || chosen.attentions)
    inside = inspect(
        *model, session, texts.input(),
        {.hidden_states = chosen.hidden_states.has_value(), .attentions = chosen.attentions.has_value()});
  write_logits(chosen.logits, model->settings.head, seen.logits);
  write(chosen.pooled, transept::make_array<1>(seen.pooled.data(), {seen.pooled.size()}));
  write(chosen.next_sentence,
        transept::make_array<1>(seen.next_sentence.data(), {seen.next_sentence.size()}));
  write(chosen.hidden_states, inside.hidden_states);
  write(chosen.attentions, inside.attentions);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Writes a model's logits, hidden states and attention probabilities as .npy files (f32). Without "
      "--dtype, "
      "weights of bf16 are widened to f32, whose products round nothing to bf16 where processors can",
      "logits");
  options chosen;
  chosen.add_to(app);
  return examples::run_program(app, argc, argv, [&] {
    if (!chosen.input.text && chosen.input.ids.empty())
      throw transept::argument_error("nothing to feed: give --ids or --prompt");
    if (!chosen.logits && !chosen.hidden_states && !chosen.attentions && !chosen.pooled &&
        !chosen.next_sentence)
      throw transept::argument_error(
          "nothing to write: give --out, --hidden-states, --attentions, --pooled or "
          "--next-sentence");
    examples::is_encoder(chosen.common.model) ? write_encoder(chosen) : write_decoder(chosen);
  });
}
