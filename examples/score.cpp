// How well a model predicts a text: nats per token, perplexity, bits per byte.
//
//   score TEXT                     with the model's weights as they are, or with --dtype and --kv-dtype
//   score TEXT --compare           in every precision: what each costs
//   score LABELLED --model CLASSIFIER   of an encoder, JSON lines: accuracy, F1
//
// Hugging Face's sliding-window protocol: windows of the model's context begin every `stride` tokens; each
// scores the tokens that no window before it has scored, but never its own first token, which has nothing
// before it.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numbers>

#include <common/any_model.hpp>
#include <common/checks.hpp>
#include <common/ids.hpp>
#include <common/labelled_score.hpp>
#include <common/program.hpp>
#include <common/prompt.hpp>
#include <common/terminal.hpp>

#include <transept/core/json.hpp>
#include <transept/kernels/softmax.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/tensor/buffer.hpp>

namespace {

using namespace examples;

struct options {
  model_options common;
  std::string file;
  std::optional<std::string> ids;
  std::size_t stride = 0;
  std::size_t context = 0;
  bool json = false;
  bool compare = false;

  void add_to(CLI::App& app) {
    CLI::Option* const text = app.add_option(
        "FILE", file, "The text, any bytes (-: standard input); of an encoder labelled texts, JSON lines");
    app.add_option("--ids", ids,
                   "Token ids (or @FILE: a file that holds them) instead of a text; needs no vocabulary")
        ->type_name("1,2,3")
        ->excludes(text);
    app.add_option(
           "--stride", stride,
           "A window begins every N tokens; fewer give each token more context and cost more; 0: the context")
        ->type_name("N")
        ->check(whole_number())
        ->capture_default_str();
    app.add_option("--context", context, "Tokens of a window; 0: the model's whole context")
        ->type_name("N")
        ->check(whole_number())
        ->capture_default_str();
    CLI::Option* const as_json = app.add_flag("--json", json, "Print one object instead");
    common.add_to(app);
    CLI::Option* const all =
        app.add_flag("--compare", compare, "Score in every precision, and print a table of what each costs");
    for (CLI::Option* const other : {as_json, app.get_option("--dtype"), app.get_option("--kv-dtype")})
      all->excludes(other);
    app.description("Scores a text with a model, or an encoder with labelled texts.");
    app.footer(
        "Hugging Face's sliding-window protocol: each window scores the tokens that none before it "
        "has scored,\n"
        "but never its own first token, which has nothing before it. nats per token: the mean of -log "
        "p over\n"
        "the tokens scored; perplexity: its exponential; bits per byte: nats per token, for all "
        "tokens, / ln 2\n"
        "/ bytes of the text. --json prints tokens, tokens_scored, nats_per_token, perplexity, "
        "bits_per_byte.\n"
        "Of an encoder that classifies, tags or answers: loss, accuracy (of answers: found exactly), F1 "
        "(of entities as\n"
        "seqeval counts them, of answers' tokens). Lines are {\"text\": \"…\", \"label\": \"…\"}, "
        "{\"tokens\": […], \"tags\": […]} or\n"
        "{\"question\": \"…\", \"context\": \"…\", \"answer\": \"…\", \"begin\": 0}.");
  }
};

struct score {
  std::size_t tokens = 0;
  std::size_t tokens_scored = 0;
  double nats = 0; // of all tokens scored

  double nats_per_token() const { return nats / static_cast<double>(tokens_scored); }
};

/// One line that is written over again and again, for a person only.
class progress_line {
public:
  void show(std::size_t done, std::size_t all, const score& so_far) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || (shown_ && now - last_ < std::chrono::milliseconds(100))) return;
    last_ = now;
    shown_ = true;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    rewrite_line(grouped(done) + " of " + grouped(all) + " tokens, " +
                 decimal(static_cast<double>(done) / seconds, 0) + " per second, " +
                 decimal(so_far.nats_per_token(), 4) + " nats per token");
  }

  ~progress_line() {
    if (shown_) clear_line();
  }

private:
  bool on_ = is_terminal(stderr);
  bool shown_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now(), last_;
};

/// Scores windows. The logits of many positions are made at once, but never of more than `rows`.
class scorer {
public:
  scorer(const any_model& model, const transept::session_options& options)
      : model_(model),
        session_(model.make_session(options)),
        vocab_size_(model.vocab_size()),
        logits_(rows * vocab_size_),
        nats_(rows) {}

  /// Adds -log p of the tokens [first, window.size()) of a window, each after all of the window before it.
  void add(std::span<const transept::token_id> window, std::size_t first, score& total) {
    reset(session_);
    // What is only context, with the logits after its last token: they are for the first token scored.
    const std::span<const float> last = forward(model_, session_, window.first(first));
    add_rows(last.data(), window.subspan(first, 1), total);
    for (std::size_t done = first; done + 1 < window.size();) {
      const std::size_t count = std::min(rows, window.size() - 1 - done);
      const transept::matrix_view<float, transept::dyn, transept::dyn> logits(
          logits_.data(), static_cast<transept::extent>(count), static_cast<transept::extent>(vocab_size_));
      forward(model_, session_, window.subspan(done, count), logits);
      add_rows(logits_.data(), window.subspan(done + 1, count), total);
      done += count;
    }
  }

private:
  static constexpr std::size_t rows = 64;

  /// logits [targets.size(), vocab_size]; sums in the order of the tokens, whatever the number of threads.
  void add_rows(const float* logits, std::span<const transept::token_id> targets, score& total) {
    transept::parallel_for(session_.threads(), targets.size(), 1,
                           [&](std::size_t begin, std::size_t end, int) {
                             for (std::size_t i = begin; i < end; ++i) {
                               const float* const row = logits + i * vocab_size_;
                               nats_[i] = transept::kernels::log_sum_exp(row, vocab_size_) -
                                          static_cast<double>(row[targets[i]]);
                             }
                           });
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (!std::isfinite(nats_[i]))
        throw transept::numeric_error("the model's probability of a token is no number (-log p is " +
                                      decimal(nats_[i], 1) + ")\n  Most likely its weights are damaged.");
      total.nats += nats_[i];
    }
    total.tokens_scored += targets.size();
  }

  const any_model& model_;
  transept::session session_;
  std::size_t vocab_size_;
  transept::buffer<float> logits_;
  std::vector<double> nats_;
};

score score_tokens(const any_model& model, std::span<const transept::token_id> ids, std::size_t context,
                   std::size_t stride, transept::session_options options) {
  options.capacity = static_cast<int>(std::min(context, ids.size()));
  scorer windows(model, options);
  progress_line progress;
  score total{.tokens = ids.size()};
  std::size_t scored_to = 0; // the end of the window before
  for (std::size_t begin = 0; scored_to < ids.size(); begin += stride) {
    const std::size_t end = std::min(begin + context, ids.size());
    const std::size_t first = std::max(scored_to, begin + 1);
    if (first < end) windows.add(ids.subspan(begin, end - begin), first - begin, total);
    scored_to = end;
    progress.show(end, ids.size(), total);
  }
  return total;
}

/// What is to be scored.
struct text {
  std::vector<transept::token_id> ids;
  std::optional<std::size_t> bytes; // where a vocabulary tells
};

text read_text(const options& chosen, const any_model& model) {
  text result;
  if (chosen.ids) {
    result.ids = ids_argument(*chosen.ids);
    check_ids(model, result.ids, "--ids");
    if (const auto tokenizer = find_tokenizer(chosen.common.model))
      result.bytes = tokenizer->decode(result.ids).size();
  } else {
    const std::string bytes = read_all(std::filesystem::path(chosen.file));
    examples::check_encoding(bytes, chosen.file);
    result.ids = examples::open_tokenizer(chosen.common.model).encode_prompt(bytes);
    check_ids(model, result.ids, chosen.file);
    result.bytes = bytes.size();
  }
  if (result.ids.size() < 2)
    throw transept::argument_error(
        (chosen.ids ? "--ids" : chosen.file) +
        ": nothing to score: the first token has nothing before it, and there is " +
        (result.ids.empty() ? "none" : "no second"));
  return result;
}

/// Where the file holds blocks, f32 is no better than they are.
void tell_of_blocks(const options& chosen, const any_model& model) {
  for (const parameter_row& parameter : model.parameters()) {
    if (!is_block_type(parameter.stored_as)) continue;
    std::cerr << "note: " << chosen.common.model.string() << " holds " << name_of(parameter.stored_as)
              << ": f32 means its numbers, widened, not those that they were rounded from\n";
    return;
  }
}

/// Every precision of weights and cache, one after the other, beside f32.
void compare(const options& chosen, const text& text) {
  struct precision {
    const char *dtype, *kv_dtype;
  };
  constexpr precision all[] = {{"f32", "f32"},  {"f16", "f32"},  {"bf16", "f32"}, {"int8", "f32"},
                               {"int4", "f32"}, {"f32", "bf16"}, {"f32", "int8"}};
  std::cout << "weights  cache   nats per token   perplexity   against f32\n" << std::flush;
  double exact = 0;
  for (const auto& [dtype, kv_dtype] : all) {
    model_options common = chosen.common;
    common.dtype = dtype;
    common.kv_dtype = kv_dtype;
    const auto model = open_model(common.model, common.load_options());
    const score total =
        score_tokens(*model, text.ids, chosen.context, chosen.stride, common.session_options());
    const double perplexity = std::exp(total.nats_per_token());
    if (exact == 0) exact = perplexity;
    char line[96];
    std::snprintf(line, sizeof line, "%-8s %-6s %15.6f %12.4f %+12.4f%%\n", dtype, kv_dtype,
                  total.nats_per_token(), perplexity, 100 * (perplexity / exact - 1));
    std::cout << line << std::flush;
  }
}

void run(options& chosen) {
  if (chosen.file.empty() && !chosen.ids)
    throw transept::argument_error("nothing to score: give a file with a text, or --ids");
  if (is_encoder(chosen.common.model)) {
    if (chosen.ids || chosen.compare || chosen.stride > 0 || chosen.context > 0)
      throw transept::argument_error("an encoder is scored with a file of labelled texts; --ids, --compare, "
                                     "--stride and --context are for decoders");
    return score_labelled_texts(chosen.common.model, chosen.file, chosen.common.load_options(), chosen.json);
  }
  const auto model = open_model(chosen.common.model, chosen.common.load_options());
  if (chosen.context == 0) chosen.context = model->n_positions();
  if (chosen.context < 2 || chosen.context > model->n_positions())
    throw transept::argument_error("--context must be from 2 to the model's context, " +
                                   std::to_string(model->n_positions()) + ", but is " +
                                   std::to_string(chosen.context));
  if (chosen.stride == 0) chosen.stride = chosen.context;
  if (chosen.stride > chosen.context)
    throw transept::argument_error("--stride must be at most the context, " + std::to_string(chosen.context) +
                                   ", but is " + std::to_string(chosen.stride) +
                                   ": tokens between the windows would not be scored");

  const text text = read_text(chosen, *model);
  if (chosen.compare) {
    tell_of_blocks(chosen, *model);
    return compare(chosen, text);
  }
  const score total =
      score_tokens(*model, text.ids, chosen.context, chosen.stride, chosen.common.session_options());
  const double perplexity = std::exp(total.nats_per_token());
  std::optional<double> bits_per_byte;
  if (text.bytes && *text.bytes > 0)
    bits_per_byte = total.nats_per_token() * static_cast<double>(total.tokens) / std::numbers::ln2 /
                    static_cast<double>(*text.bytes);

  if (chosen.json) {
    nlohmann::ordered_json object;
    object["tokens"] = total.tokens;
    object["tokens_scored"] = total.tokens_scored;
    object["nats_per_token"] = total.nats_per_token();
    object["perplexity"] = perplexity;
    object["bits_per_byte"] = nullptr;
    if (bits_per_byte) object["bits_per_byte"] = *bits_per_byte;
    std::cout << object.dump() << "\n";
    return;
  }
  std::cout << "tokens          " << grouped(total.tokens) << "\n"
            << "tokens scored   " << grouped(total.tokens_scored) << "\n"
            << "nats per token  " << decimal(total.nats_per_token(), 6) << "\n"
            << "perplexity      " << decimal(perplexity, 3) << "\n";
  if (bits_per_byte) std::cout << "bits per byte   " << decimal(*bits_per_byte, 3) << "\n";
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("", "score");
  options chosen;
  chosen.add_to(app);
  return run_program(app, argc, argv, [&] { run(chosen); });
}
