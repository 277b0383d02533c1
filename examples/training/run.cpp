#include <training/run.hpp>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <functional>
#include <iostream>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <common/arithmetic.hpp>
#include <common/program.hpp>
#include <common/terminal.hpp>
#include <training/checkpoints.hpp>
#include <training/data.hpp>
#include <training/log.hpp>

#include <transept/core/json.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/atomic_folder.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_files.hpp>
#include <transept/train/schedules.hpp>

namespace examples {
namespace {

constexpr const char* settings_file = "train.json";
constexpr std::size_t rows_every = 10; // iterations between rows of the log

// ---- Signals: the first asks for an end, the second ends ------------------------------------------------

volatile std::sig_atomic_t interrupted = 0;

void end_at_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

// ---- The folder -----------------------------------------------------------------------------------------

/// Held while a process trains in a folder, so that no second one does.
class folder_lock {
public:
  explicit folder_lock(const std::filesystem::path& folder)
      : file_(::open(folder.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      ::close(file_);
      throw transept::file_error(folder.string() + ": another process trains in this folder");
    }
  }
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;
  ~folder_lock() {
    if (file_ >= 0) ::close(file_);
  }

private:
  int file_;
};

bool has_run(const std::filesystem::path& folder) { return std::filesystem::exists(folder / settings_file); }

/// What cannot change in a run that has begun.
void check_unchanged(const training_settings& begun, const training_settings& now) {
  const transept::json before = to_json(begun), after = to_json(now);
  for (const char* name : {"preset", "text", "validation-text", "validation", "vocabulary", "from", "layers",
                           "heads", "width", "context", "train-blocks", "seed"})
    if (before[name] != after[name])
      throw transept::argument_error(std::string("--") + name +
                                     " cannot change in a run that has begun: it is " + before[name].dump() +
                                     "\n  Give --out another folder to begin a new run.");
}

/// What the folder of a new run must not have.
void check_free(const std::filesystem::path& folder) {
  for (const char* name : {"config.json", "model.safetensors"})
    if (std::filesystem::exists(folder / name))
      throw transept::file_error((folder / name).string() + ": is there already: give --out another folder");
}

// ---- What follows from the settings ---------------------------------------------------------------------

std::function<double(std::size_t)> schedule(const training_settings& s) {
  if (s.schedule == "cosine")
    return transept::cosine_rate{s.learning_rate, s.least_learning_rate, s.iterations, s.warmup};
  if (s.schedule == "linear")
    return transept::linear_rate{s.learning_rate, s.least_learning_rate, s.iterations, s.warmup};
  if (s.schedule == "inverse-sqrt") return transept::inverse_square_root_rate{s.learning_rate, s.warmup};
  return transept::constant_rate{s.learning_rate, s.warmup};
}

/// `layers`: of the model.
transept::training_options options_of(const training_settings& s, std::size_t layers, int threads) {
  if (s.train_blocks > layers)
    throw transept::argument_error("--train-blocks " + std::to_string(s.train_blocks) + ": the model has " +
                                   std::to_string(layers));
  const auto rate = static_cast<float>(s.dropout);
  return {.optimizer = {.beta_1 = s.beta_1, .beta_2 = s.beta_2, .weight_decay = s.weight_decay},
          .clip_norm = s.clip,
          .label_smoothing = static_cast<float>(s.label_smoothing),
          .dropout = {.embedding = rate, .attention = rate, .residual = rate, .seed = s.seed},
          .frozen_blocks = s.train_blocks == 0 ? 0 : layers - s.train_blocks,
          .recompute_blocks = s.recompute,
          .products = f32_precision_named(s.products),
          .threads = threads};
}

/// The trainer of the model in a folder: one to begin with, or a checkpoint.
std::unique_ptr<any_trainer> trainer_in(const std::filesystem::path& folder, const training_settings& s,
                                        int threads) {
  const auto layers = static_cast<std::size_t>(transept::model_files::open(folder).config().n_layer);
  return open_trainer(folder, options_of(s, layers, threads));
}

std::unique_ptr<any_trainer> new_trainer(const training_settings& s, const training_data& data, int threads) {
  if (!s.from.empty()) return trainer_in(s.from, s, threads);
  return make_trainer({.layers = s.layers,
                       .heads = s.heads,
                       .width = s.width,
                       .vocabulary = data.tokenizer.vocabulary_size(),
                       .context = s.context,
                       .end_of_text = data.tokenizer.end_of_text(),
                       .seed = s.seed},
                      options_of(s, s.layers, threads));
}

// ---- The run --------------------------------------------------------------------------------------------

class training_run {
public:
  training_run(const training_settings& settings, const run_options& options)
      : s_(settings),
        folder_(options.folder),
        picture_(options.picture.empty() ? folder_ / "loss.svg" : options.picture),
        data_(open_data(folder_)),
        trainer_(open(options)),
        rate_(schedule(settings)),
        log_(options.log.empty() ? folder_ / "log.csv" : options.log, progress_.iteration),
        windows_(data_.training, data_.all_training(), s_.context, s_.seed),
        tokens_(s_.batch * s_.context),
        targets_(tokens_.size()),
        peak_(arithmetic_peak(trainer_->threads())) {}

  void go() {
    introduce();
    if (progress_.iteration == 0) evaluate();
    while (progress_.iteration < s_.iterations && !interrupted) {
      step();
      const std::size_t done = progress_.iteration;
      const bool last = done == s_.iterations;
      if (last || done % s_.evaluate_every == 0)
        evaluate();
      else if (done % rows_every == 0)
        add_row(std::nullopt);
      if (last || interrupted || done % s_.checkpoint_every == 0) checkpoint();
    }
    conclude();
  }

private:
  using clock = std::chrono::steady_clock;

  std::unique_ptr<any_trainer> open(const run_options& options) {
    const auto checkpoints = checkpoints_in(folder_);
    if (checkpoints.empty()) return new_trainer(s_, data_, options.threads);
    const auto folder = checkpoint_folder(folder_, checkpoints.back());
    auto trainer = trainer_in(folder, s_, options.threads);
    progress_ = load_checkpoint(*trainer, folder);
    return trainer;
  }

  transept::token_rows rows_of(const std::vector<transept::token_id>& ids) const {
    return {ids.data(), static_cast<transept::extent>(s_.batch), static_cast<transept::extent>(s_.context)};
  }

  void introduce() const {
    const auto shape = trainer_->shape();
    const style look;
    std::cout << look.bold() << s_.preset << look.plain() << ": " << shape.n_layer << " layers, width "
              << shape.n_embd << ", " << shape.n_head << " heads; " << grouped(trainer_->parameter_count())
              << " parameters\n"
              << grouped(data_.training.size()) << " tokens to learn from, "
              << grouped(data_.validation.size()) << " to check with, of a vocabulary of "
              << grouped(data_.tokenizer.vocabulary_size()) << "\n"
              << s_.iterations << " iterations of " << grouped(s_.batch * s_.accumulate * s_.context)
              << " tokens on " << trainer_->threads().size() << " threads";
    if (progress_.iteration > 0) std::cout << ", going on after " << grouped(progress_.iteration);
    std::cout << "\n\n"
              << look.dim() << " iteration   training  validation   tokens/s  of peak  time left"
              << look.plain() << std::endl;
  }

  void step() {
    const auto start = clock::now();
    double loss = 0;
    for (std::size_t i = 0; i < s_.accumulate; ++i) {
      windows_.fill(progress_.iteration * s_.accumulate + i, tokens_, targets_);
      const double weight = 1.0 / static_cast<double>(s_.accumulate);
      loss += weight * trainer_->accumulate(rows_of(tokens_), rows_of(targets_), weight);
    }
    check(loss);
    try {
      trainer_->update(rate_(progress_.iteration));
    } catch (const transept::numeric_error&) {
      fail("the gradient is not finite");
    }
    ++progress_.iteration;
    progress_.loss_sum += loss;
    ++progress_.loss_count;
    seconds_ += std::chrono::duration<double>(clock::now() - start).count();
    ++steps_;
    show(loss);
  }

  /// Stops a run whose loss is no number, or rises and stays 2 nats above where it was.
  void check(double loss) {
    if (!std::isfinite(loss)) fail("the loss is " + std::to_string(loss));
    double& smoothed = progress_.smoothed_loss;
    double& lowest = progress_.lowest_smoothed_loss;
    smoothed = progress_.iteration == 0 ? loss : 0.9 * smoothed + 0.1 * loss;
    lowest = progress_.iteration == 0 ? smoothed : std::min(lowest, smoothed);
    if (smoothed > lowest + 2)
      fail("the loss is " + decimal(smoothed, 2) + " nats per token, and was " + decimal(lowest, 2));
  }

  [[noreturn]] void fail(const std::string& what) const {
    clear_line();
    const auto kept = checkpoints_in(folder_);
    throw transept::numeric_error(
        "training diverged at iteration " + std::to_string(progress_.iteration) + ": " + what + "\n  " +
        (kept.empty()
             ? "There is no checkpoint yet."
             : "The last good checkpoint is " + checkpoint_folder(folder_, kept.back()).string() + ".") +
        "\n  A lower --learning-rate, a longer --warmup or a smaller --clip may help.");
  }

  double batch_loss(const std::function<std::size_t(std::size_t)>& fill, std::size_t batches) {
    double total = 0;
    std::size_t targets = 0;
    for (std::size_t i = 0; i < batches; ++i) {
      const std::size_t counted = fill(i);
      total += static_cast<double>(counted) * trainer_->evaluate(rows_of(tokens_), rows_of(targets_));
      targets += counted;
    }
    return total / static_cast<double>(targets);
  }

  /// Over all of the validation text, every token but the first as a target once.
  double whole_validation_loss() {
    const transept::successive_windows all(data_.validation, data_.all_validation(), s_.context);
    return batch_loss([&](std::size_t i) { return all.fill(i * s_.batch, tokens_, targets_); },
                      (all.size() + s_.batch - 1) / s_.batch);
  }

  /// Over the batches of an evaluation. Nothing where there is no text to check with.
  std::optional<double> validation_loss() {
    if (data_.validation.size() < 2) return std::nullopt;
    if (s_.evaluate_batches == 0 || data_.validation.size() <= s_.context) return whole_validation_loss();
    const transept::random_windows some(data_.validation, data_.all_validation(), s_.context, s_.seed);
    return batch_loss(
        [&](std::size_t i) {
          some.fill(i, tokens_, targets_);
          return tokens_.size();
        },
        s_.evaluate_batches);
  }

  void evaluate() {
    const auto loss = validation_loss();
    add_row(loss);
    const log_row& row = log_.rows().back();
    clear_line();
    const auto padded = [](const std::string& text, std::size_t width) {
      return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
    };
    const auto known = [](std::optional<double> value) {
      return value ? decimal(*value, 4) : std::string("-");
    };
    const bool timed = row.tokens_per_second > 0;
    std::cout << padded(grouped(row.iteration), 10) << padded(known(row.training_loss), 11)
              << padded(known(row.validation_loss), 12)
              << padded(timed ? grouped(static_cast<std::size_t>(row.tokens_per_second)) : "-", 11)
              << padded(timed ? decimal(share_of_peak(row.tokens_per_second), 2) : "-", 9)
              << padded(timed ? time_left(row.ms_per_iteration) : "-", 11) << std::endl;
    if (!loss || !progress_.best_loss || *loss < *progress_.best_loss) {
      progress_.best_loss = loss;
      progress_.best_iteration = progress_.iteration;
      trainer_->save_model(folder_, *element_type_named(s_.dtype));
    }
    if (s_.sample_tokens > 0 && progress_.iteration > 0) show_sample();
  }

  void show_sample() {
    const style look;
    const std::string text = trainer_->sample(data_.tokenizer, prompt(), s_.sample_tokens, s_.seed);
    std::cout << look.dim() << "  | ";
    for (const char c : displayable(prompt() + text)) std::cout << c << (c == '\n' ? "  | " : "");
    std::cout << look.plain() << std::endl;
  }

  /// --prompt; or, where the vocabulary has no tokens for it, the text's first token.
  std::string prompt() const {
    try {
      if (!s_.prompt.empty() && !data_.tokenizer.encode(s_.prompt).empty()) return s_.prompt;
    } catch (const transept::tokenizer_error&) {
    }
    std::vector<transept::token_id> first(1);
    data_.training.read(0, first);
    return data_.tokenizer.decode(first);
  }

  void add_row(std::optional<double> validation) {
    const auto tokens = static_cast<double>(s_.batch * s_.accumulate * s_.context);
    log_row row{.iteration = progress_.iteration, .training_loss = {}, .validation_loss = validation};
    if (progress_.loss_count > 0)
      row.training_loss = progress_.loss_sum / static_cast<double>(progress_.loss_count);
    if (steps_ > 0) {
      row.ms_per_iteration = 1e3 * seconds_ / static_cast<double>(steps_);
      row.tokens_per_second = tokens * static_cast<double>(steps_) / seconds_;
    }
    log_.add(row);
    progress_.loss_sum = seconds_ = 0;
    progress_.loss_count = steps_ = 0;
  }

  void checkpoint() {
    save_checkpoint(*trainer_, progress_, folder_, s_.keep);
    transept::write_text(picture_, loss_curve(s_.preset + ": " + folder_.filename().string(), log_.rows()));
  }

  void conclude() {
    clear_line();
    const std::string folder = folder_.string();
    if (progress_.iteration < s_.iterations) {
      std::cout << "\nStopped after iteration " << grouped(progress_.iteration)
                << "; the checkpoint is written.\n"
                << "  To go on: train --resume --out " << folder << std::endl;
      return;
    }
    std::cout << "\n";
    if (data_.validation.size() >= 2) {
      const double loss = whole_validation_loss();
      const double total = loss * static_cast<double>(data_.validation.size() - 1);
      std::cout << "The last model, on the whole validation text: " << decimal(loss, 4) << " nats per token, "
                << decimal(total / static_cast<double>(validation_characters(data_)), 4)
                << " per character\n";
    }
    std::cout << "The best model (iteration " << grouped(progress_.best_iteration) << ") is in " << folder
              << "; to see it write:\n  generate --model " << folder << std::endl;
  }

  // ---- What a person sees -------------------------------------------------------------------------------

  double share_of_peak(double tokens_per_second) const {
    return operations_of_step(trainer_->shape(), tokens_per_second / static_cast<double>(s_.context),
                              static_cast<double>(s_.context)) /
           peak_;
  }

  std::string time_left(double ms_per_iteration) const {
    const auto seconds = static_cast<std::size_t>(ms_per_iteration / 1e3 *
                                                  static_cast<double>(s_.iterations - progress_.iteration));
    const auto two = [](std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return (seconds >= 3600 ? std::to_string(seconds / 3600) + ":" : "") + two(seconds / 60 % 60) + ":" +
           two(seconds % 60);
  }

  void show(double loss) {
    if (!is_terminal(stderr) || clock::now() - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = clock::now();
    const double ms = 1e3 * seconds_ / static_cast<double>(steps_);
    const double tokens = static_cast<double>(s_.batch * s_.accumulate * s_.context) / ms * 1e3;
    std::cerr << "\r" << grouped(progress_.iteration) << " of " << grouped(s_.iterations) << ", loss "
              << decimal(loss, 3) << ", " << grouped(static_cast<std::size_t>(tokens)) << " tokens/s, "
              << decimal(share_of_peak(tokens), 2) << " of peak, " << time_left(ms) << " left\033[K"
              << std::flush;
  }

  static void clear_line() {
    if (is_terminal(stderr)) std::cerr << "\r\033[K" << std::flush;
  }

  const training_settings s_;
  const std::filesystem::path folder_, picture_;
  run_progress progress_; // before what reads it
  training_data data_;
  std::unique_ptr<any_trainer> trainer_;
  std::function<double(std::size_t)> rate_;
  training_log log_;
  transept::random_windows windows_;
  std::vector<transept::token_id> tokens_, targets_; // [batch, context]
  double peak_;                                      ///< operations per second
  double seconds_ = 0;                               ///< of the steps since the log's last row
  std::size_t steps_ = 0;
  clock::time_point shown_{};
};

} // namespace

training_settings settings_of_run(const std::filesystem::path& folder, const std::string& preset) {
  if (!has_run(folder)) return preset_named(preset);
  const auto path = folder / settings_file;
  return settings_from_json(transept::parse_json(transept::mapped_file(path).text(), path.string(), 2),
                            path.string());
}

void train(const training_settings& settings, const run_options& options) {
  const auto& folder = options.folder;
  const bool is_new = !has_run(folder);
  if (!is_new && !options.resume)
    throw transept::file_error(
        folder.string() + ": holds a run already: --resume goes on with it, another --out begins a new one");
  if (is_new) check_free(folder);
  std::error_code error;
  const bool was_empty = !std::filesystem::exists(folder, error) || std::filesystem::is_empty(folder, error);
  std::filesystem::create_directories(folder, error);
  if (error) throw transept::file_error(folder.string() + ": cannot make the folder: " + error.message());
  const folder_lock lock(folder);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_directory() && entry.path().extension() == transept::atomic_folder::partial_suffix)
      std::filesystem::remove_all(entry.path()); // of a run that was killed
  std::optional<training_run> run;
  try {
    if (is_new)
      prepare_data(settings, folder, options.threads);
    else
      check_unchanged(settings_of_run(folder, settings.preset), settings);
    run.emplace(settings, options);
  } catch (...) {
    if (is_new && was_empty) std::filesystem::remove_all(folder, error); // as if nothing had been asked
    throw;
  }
  transept::write_text(folder / settings_file, to_json(settings).dump(2) + "\n"); // last: who has it has all
  end_at_signals();
  run->go();
}

} // namespace examples
