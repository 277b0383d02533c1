// OPT (Zhang et al. 2022, "OPT: Open Pre-trained Transformer Language Models") as a type: GPT-3's blocks with
// a ReLU, or post-norm ones, and embeddings that may be narrower than the residual stream.
//
//   x = project_in(tokens[token]) + positions[2 + position];  for each block: x = block(x);
//   logits = project_out(norm(x)) · tokensᵀ
#pragma once

#include <cstddef>
#include <span>

#include <transept/layers/projection.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/opt/config.hpp>
#include <transept/models/opt/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// An OPT: `opt<opt_125m>`, or `opt<any_opt>`, which runs every shape.
template <opt_config Config, class Weights = inference_weights>
struct opt : decoder_base<opt_family, Config, Weights> {
  static constexpr model_names names = opt_names; ///< what files call the parameters
  /// Of the residual stream, and of what logits are made from.
  static constexpr extent width = Config.n_embd, output_width = Config.token_width;
  static constexpr extent first_position = 2; ///< padding had the rows before
  /// Pre-norm or post-norm, as the settings say.
  using block =
      transept::block<layer_norm<width, Config.affine_norms, Config.affine_norms, Weights>,
                      attention<Config.attention(), Weights>,
                      feed_forward<width, Config.n_inner, Config.biases, Weights>, rms_norm<0, Weights>>;
  /// Whether the last norm is there and has a weight and a bias.
  static constexpr choice final_affine = both(Config.final_norm, Config.affine_norms);

  /// [vocab_size, token_width]
  embedding<Config.vocab_size, output_width, matrix_use::table, Weights> tokens;
  /// [first_position + n_positions, n_embd]
  embedding<sum_of(Config.n_positions, first_position), width, matrix_use::lookup, Weights> positions;
  projection<output_width, width, Weights> project_in;         ///< nothing where both widths are the same
  block_list<block, Config.n_layer> blocks;                    ///< first to last
  layer_norm<width, final_affine, final_affine, Weights> norm; ///< of the last hidden state
  projection<width, output_width, Weights> project_out;        ///< to token_width, or nothing
  /// [vocab_size, token_width]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, output_width, Weights> output;

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(
      member{"tokens", &opt::tokens}, member{"positions", &opt::positions},
      member{"project_in", &opt::project_in}, member{"blocks", &opt::blocks}, member{"norm", &opt::norm},
      member{"project_out", &opt::project_out}, member{"output", &opt::output});

  /// A model whose views have their extents, but no data yet.
  static opt shaped(const opt_config& c = Config) {
    auto one = block::shaped(c.n_embd, c.attention(), c.n_inner, c.biases);
    one.norm_1 = one.norm_2 = decltype(one.norm_1)::shaped(c.n_embd, c.affine_norms, c.affine_norms);
    const choice is_affine = both(c.final_norm, c.affine_norms);
    opt model;
    model.config = c;
    model.tokens = decltype(tokens)::shaped(c.vocab_size, c.token_width);
    model.positions = decltype(positions)::shaped(c.n_positions + first_position, c.n_embd);
    model.project_in = decltype(project_in)::shaped(c.token_width, c.n_embd);
    model.blocks = repeated<block, Config.n_layer>(one, c.n_layer);
    model.norm = decltype(norm)::shaped(c.n_embd, is_affine, is_affine);
    model.project_out = decltype(project_out)::shaped(c.n_embd, c.token_width);
    model.output = decltype(output)::shaped(c.tie_word_embeddings ? 0 : c.vocab_size, c.token_width);
    return model;
  }

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = 1e-5f}; }

  /// What a session must hold for this model, whose tokens may be of another width.
  decoder_shape shape() const {
    decoder_shape shape = shape_of(*this);
    shape.n_output = shape.scratch_per_row = static_cast<std::size_t>(this->config.token_width);
    return shape;
  }
};

/// The same for all blocks.
template <opt_config Config>
block_settings settings_of_block(const opt<Config>& model, std::size_t, const position_terms&) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width)},
          .order = model.settings.order};
}

/// x [tokens, width] = project_in(the tokens' embeddings), plus their positions'.
template <opt_config Config, key_value_cache Cache, class Observer>
void embed(const opt<Config>& model, compute_context& context, std::span<const token_id> tokens,
           const Cache& cache, activations<opt<Config>::width> x, Observer&&) {
  workspace::scope scope(context.memory);
  const auto embedded = scope.take<Config.token_width>(x.rows(), model.config.token_width);
  copy_rows(model.tokens, tokens, embedded);
  forward(model.project_in, context, embedded, x);
  add_positions(model, cache, x);
}

/// The gradients of tokens, project_in and positions += those that dx [tokens, width] gives them.
template <opt_config Config, class Gradient>
void embed_backward(const opt<Config>& model, const Gradient& gradient, compute_context& context,
                    std::span<const token_id> tokens, const whole_sequences& sequences,
                    activations<opt<Config>::width> dx, tape&) {
  add_positions_backward(model, gradient, context, sequences, dx);
  workspace::scope scope(context.memory);
  const auto embedded = scope.take<Config.token_width>(dx.rows(), model.config.token_width);
  copy_rows(model.tokens, tokens, embedded);
  backward(model.project_in, gradient.project_in, context, embedded, dx, embedded);
  copy_rows_backward(gradient.tokens, context, tokens, embedded);
}

/// norm(x), in memory of `scope`; x where there is no last norm.
template <opt_config Config>
activations<Config.n_embd> normed_state(workspace::scope& scope, const opt<Config>& model,
                                        compute_context& context, activations<Config.n_embd> x) {
  if (!model.config.final_norm) return x;
  const auto normed = scope.take<Config.n_embd>(x.rows(), x.cols());
  forward(model.norm, context, x, normed, model.norms());
  return normed;
}

/// normed [rows, token_width] = project_out(norm(x)).
template <opt_config Config>
void final_norm(const opt<Config>& model, compute_context& context, activations<opt<Config>::width> x,
                activations<opt<Config>::output_width> normed) {
  workspace::scope scope(context.memory);
  forward(model.project_out, context, normed_state(scope, model, context, x), normed);
}

/// dx [rows, width] += the gradient that dnormed [rows, token_width] gives x; so do those of norm and
/// project_out.
template <opt_config Config, class Gradient>
void final_norm_backward(const opt<Config>& model, const Gradient& gradient, compute_context& context,
                         activations<opt<Config>::width> x, activations<opt<Config>::output_width> dnormed,
                         activations<opt<Config>::width> dx) {
  workspace::scope scope(context.memory);
  const auto normed = normed_state(scope, model, context, x);
  const auto dstate = scope.take<Config.n_embd>(x.rows(), x.cols());
  backward(model.project_out, gradient.project_out, context, normed, dnormed, dstate);
  if (model.config.final_norm)
    backward(model.norm, gradient.norm, context, x, dstate, dx, model.norms());
  else
    kernels::add(context, dstate.data(), static_cast<std::size_t>(dx.size()), dx.data());
}

} // namespace transept::inline TRANSEPT_ABI
