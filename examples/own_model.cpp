// A model of your own, composed from the library's layers without `gpt2`; the library's sessions, generation
// and inspection then run on it as on any model.
//
// It differs from GPT-2 in what a designer might want to change:
//   - parallel blocks: attention and feed-forward read the same norm and are added together (GPT-J; Wang &
//     Komatsuzaki 2021);
//   - no table of positions: from causal attention alone a model learns where a token stands (Haviv et al.,
//     2022);
//   - ReLU, a feed-forward network of twice the width, and 3 heads of 40: 120 numbers, in a model 96 wide;
//   - an output matrix of its own, not the embedding's.
//
// Its weights are random, so what it writes is noise. That it runs is the point.
#include <array>
#include <iomanip>
#include <iostream>
#include <span>
#include <string>

#include <common/program.hpp>
#include <common/tokenizer.hpp>

#include <transept/generate/generate_text.hpp>
#include <transept/generate/inspection.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/layers/block.hpp>
#include <transept/layers/embedding.hpp>
#include <transept/models/initialise.hpp>

namespace mine {

using transept::activations;
using transept::compute_context;
using transept::extent;
using transept::key_value_cache;
using transept::member;

// ---- A block --------------------------------------------------------------------------------------------

constexpr float epsilon = 1e-5f; // of the norms

/// Layers are aggregates of weights; `members` names them, for all that walks over parameters: counting,
/// initialising, loading, saving.
template <extent Width, extent Heads, extent HeadWidth, extent Inner>
struct parallel_block {
  transept::layer_norm<Width> norm;
  transept::multi_head_attention<Width, Heads, HeadWidth> attention;
  transept::feed_forward<Width, Inner> network;

  static constexpr auto members = transept::members_of(member{"norm", &parallel_block::norm},
                                                       member{"attention", &parallel_block::attention},
                                                       member{"network", &parallel_block::network});
};

/// x [tokens, Width] += attention(norm(x)) + network(norm(x)). A layer of the wrong width does not compile.
template <extent Width, extent Heads, extent HeadWidth, extent Inner, class Observer>
void forward(const parallel_block<Width, Heads, HeadWidth, Inner>& block, compute_context& context,
             activations<Width> x, key_value_cache auto& cache, std::size_t index, Observer&& observer) {
  transept::workspace::scope scope(context.memory);         // scratch memory, given back at the end
  const auto normed = scope.take<Width>(x.rows());          // [tokens, Width]
  const float scale = transept::attention_scale(HeadWidth); // 1 / √HeadWidth
  forward(block.norm, context, x, normed, {.epsilon = epsilon});
  forward(block.attention, context, normed, x, cache, index, {.scale = scale}, observer); // x += …
  forward(block.network, context, normed, x, transept::activation_type::relu);            // x += …
}

// ---- The model ------------------------------------------------------------------------------------------

struct decoder {
  static constexpr extent width = 96, heads = 3, head_width = 40, inner = 2 * width;
  static constexpr std::size_t depth = 3;
  static constexpr std::size_t context_length = 512;

  transept::embedding<transept::dyn, width> tokens; // [vocabulary, width], the vocabulary told at run time
  std::array<parallel_block<width, heads, head_width, inner>, depth> blocks;
  transept::layer_norm<width> norm;
  transept::embedding<transept::dyn, width> output; // [vocabulary, width]

  transept::weight_owner memory; // what the weights above point into

  static constexpr auto members =
      transept::members_of(member{"tokens", &decoder::tokens}, member{"blocks", &decoder::blocks},
                           member{"norm", &decoder::norm}, member{"output", &decoder::output});

  /// Random weights; the same for the same seed, on any machine.
  decoder(std::size_t vocabulary, std::uint64_t seed) {
    const auto rows = static_cast<extent>(vocabulary);
    tokens.weight = output.weight = {nullptr, transept::element_type::f32, rows, width}; // its shape
    transept::initialise_parameters(*this, memory, seed, /*residual_writers*/ 2 * depth);
  }

  // What follows makes it a transept::decoder_model, which is all that a session asks for.

  /// What a session makes its cache and scratch memory from.
  transept::decoder_shape shape() const {
    return {.n_layer = depth,
            .n_head = heads,
            .head_width = head_width,
            .n_embd = width,
            .n_inner = inner,
            .vocab_size = static_cast<std::size_t>(tokens.weight.rows()),
            .n_positions = context_length};
  }
};

/// x [tokens, width] = the residual stream after the last block, for tokens that follow those in the cache:
/// of one text, or of a batch of texts.
template <class Observer>
void forward(const decoder& model, compute_context& context, std::span<const transept::token_id> tokens,
             key_value_cache auto& cache, activations<decoder::width> x, Observer&& observer) {
  for (extent i = 0; i < x.rows(); ++i)
    copy_row(model.tokens, tokens[static_cast<std::size_t>(i)], x.row(i).data());
  for (std::size_t layer = 0; layer < model.blocks.size(); ++layer) {
    if constexpr (transept::observing<Observer>) // only where somebody looks inside
      observer.hidden_state(layer, x.data(), tokens.size(), decoder::width);
    forward(model.blocks[layer], context, x, cache, layer, observer);
  }
  advance(cache, tokens.size());
}

/// normed [rows, width] = norm(x); they may be the same memory.
void final_norm(const decoder& model, compute_context& context, activations<decoder::width> x,
                activations<decoder::width> normed) {
  forward(model.norm, context, x, normed, {.epsilon = epsilon});
}

/// logits [rows, vocabulary] = normed [rows, width] · outputᵀ.
void project(const decoder& model, compute_context& context, activations<decoder::width> normed,
             float* logits) {
  project_to_vocabulary(model.output.weight, context, normed, logits);
}

static_assert(transept::batched_decoder_model<decoder>);

} // namespace mine

// ---- It runs --------------------------------------------------------------------------------------------

int main(int argc, char** argv) {
  CLI::App app(
      "Runs a small model that is composed by hand from the library's layers. Its weights are random; "
      "--model gives only the vocabulary that its output is read with.",
      "own_model");
  examples::common_options common;
  std::string prompt = "ROMEO:";
  std::uint64_t seed = 1;
  std::size_t max_new_tokens = 40;
  common.add_to(app);
  app.add_option("--prompt", prompt, "Text to begin with")->type_name("TEXT")->capture_default_str();
  app.add_option("--seed", seed, "Of the weights and of the choices")->type_name("N")->capture_default_str();
  app.add_option("--max-new-tokens", max_new_tokens, "How many to write")
      ->type_name("N")
      ->capture_default_str();

  return examples::run_program(app, argc, argv, [&] {
    const auto tokenizer = examples::open_tokenizer(common.model);
    const mine::decoder model(tokenizer.vocabulary_size(), seed);
    auto session = transept::session(model, {.threads = common.threads});

    transept::for_each_parameter(
        [](std::string_view name, const auto& leaf) {
          std::cout << std::left << std::setw(36) << name;
          for (const transept::extent length : leaf.shape())
            std::cout << std::right << std::setw(6) << length;
          std::cout << "\n";
        },
        model);
    std::cout << transept::count_parameters(model) << " parameters\n\n" << prompt;

    auto sampler = transept::temperature(0.8f) | transept::draw(seed);
    generate_text(model, session, tokenizer, prompt, sampler, {.max_new_tokens = max_new_tokens},
                  [](std::string_view text) { std::cout << text << std::flush; });
    std::cout << "\n";
  });
}
