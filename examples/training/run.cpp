#include <training/run.hpp>

#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <common/program.hpp>
#include <common/terminal.hpp>
#include <training/checkpoints.hpp>
#include <training/data.hpp>
#include <training/display.hpp>
#include <training/log.hpp>
#include <training/run_folder.hpp>
#include <training/setup.hpp>
#include <training/signals.hpp>
#include <training/task.hpp>

#include <transept/io/atomic_file.hpp>

namespace examples {
namespace {

constexpr std::size_t rows_every = 10; // iterations between rows of the log

class training_run {
public:
  training_run(const training_settings& settings, const run_options& options)
      : s_(settings),
        folder_(options.folder),
        task_(open(options.threads)),
        trainer_(task_->trainer()),
        rate_(rate_of(s_)),
        display_(*task_, s_),
        picture_(picture_place(s_.picture.empty() ? folder_ / "loss.svg" : s_.picture)),
        log_(s_.log.empty() ? folder_ / "log.csv" : s_.log, progress_.iteration, task_->measure()) {}

  void go() {
    display_.introduce(progress_.iteration);
    if (progress_.iteration == 0) {
      check_weights();
      evaluate();
    }
    bool ending = progress_.iteration >= s_.iterations || interrupted;
    while (!ending) {
      step();
      const std::size_t done = progress_.iteration;
      const bool last = done == s_.iterations;
      const bool evaluates = last || done % s_.evaluate_every == 0;
      if (evaluates) {
        check_weights();
        evaluate();
      } else if (done % rows_every == 0) {
        add_row(std::nullopt);
      }
      ending = last || interrupted;
      if (ending || done % s_.checkpoint_every == 0) {
        if (!evaluates) check_weights();
        save_checkpoint(trainer_, progress_, folder_, s_.keep);
        draw();
      }
    }
    conclude();
  }

private:
  using clock = std::chrono::steady_clock;

  std::unique_ptr<training_task> open(int threads) {
    const auto checkpoints = checkpoints_in(folder_);
    if (checkpoints.empty()) return open_task(s_, folder_, {}, threads);
    const auto folder = checkpoint_folder(folder_, checkpoints.back());
    const auto damaged = [&](const transept::error& error) {
      const std::string what = error.what();
      if (what.find(folder.string()) == what.npos) return what; // the data, say: the checkpoint is good
      return what + "\n  Remove " + folder.string() +
             (checkpoints.size() > 1
                  ? " to go on from " + checkpoint_folder({}, checkpoints[checkpoints.size() - 2]).string()
                  : " to begin again") +
             ".";
    };
    try {
      auto task = open_task(s_, folder_, folder, threads);
      progress_ = load_checkpoint(task->trainer(), folder);
      return task;
    } catch (const transept::format_error& error) {
      throw transept::format_error(damaged(error));
    } catch (const transept::file_error& error) {
      throw transept::file_error(damaged(error));
    }
  }

  void step() {
    const auto start = clock::now();
    double loss = 0;
    const double weight = 1.0 / static_cast<double>(s_.accumulate);
    for (std::size_t i = 0; i < s_.accumulate; ++i)
      loss += weight * task_->accumulate(progress_.iteration * s_.accumulate + i, weight);
    const double rate = rate_(progress_.iteration++);
    if (std::isfinite(loss)) {
      progress_.loss_sum += loss;
      ++progress_.loss_count;
    }
    if (const auto problem = progress_.course.add(loss)) fail(*problem);
    try {
      trainer_.update(rate);
    } catch (const transept::numeric_error&) {
      fail("the gradient is not finite");
    }
    seconds_ += std::chrono::duration<double>(clock::now() - start).count();
    ++steps_;
    display_.show_line(progress_.iteration, loss, ms_per_iteration());
  }

  /// Ends a run whose weights have gone bad, before they are written: their losses on batches to come are
  /// judged as those of steps are. Changes nothing of what the run computes.
  void check_weights() {
    double loss = 0;
    for (std::size_t i = 0; i < loss_course::patience; ++i) {
      loss = task_->loss(progress_.iteration * s_.accumulate + i);
      if (!std::isfinite(loss)) break;
      if (!progress_.course.is_high(loss)) return;
    }
    fail(progress_.course.problem(loss));
  }

  [[noreturn]] void fail(const std::string& what) {
    display_.clear_line();
    if (progress_.loss_count > 0) add_row(std::nullopt);
    draw();
    const auto kept = checkpoints_in(folder_);
    throw transept::numeric_error(
        "training diverged at iteration " + std::to_string(progress_.iteration) + ": " + what + "\n  " +
        (kept.empty() ? "There is no checkpoint yet. To begin again:"
                      : "The last good checkpoint is " + checkpoint_folder(folder_, kept.back()).string() +
                            ". To go on from it:") +
        " train --resume --out " + folder_.string() + ", with other settings.\n" +
        "  A lower --learning-rate, a longer --warmup or " +
        (s_.clip > 0 ? "a smaller --clip" : "clipped gradients (--clip 1)") + " may help.");
  }

  void evaluate() {
    last_judgement_ = task_->judge();
    add_row(last_judgement_);
    display_.show(log_.rows().back());
    if (is_best()) {
      progress_.best_iteration = progress_.iteration;
      trainer_.save_model(folder_, *element_type_named(s_.dtype));
    }
    if (progress_.iteration > 0) display_.show_sample();
  }

  /// Whether the last judgement is the best so far, which is kept: of its measure, where there is one, then
  /// of the loss. Without validation the last is.
  bool is_best() {
    if (last_judgement_) {
      const auto& [loss, measure] = *last_judgement_;
      const auto& best = progress_.best_measure;
      const bool is_better = measure && best && *measure != *best
                                 ? *measure > *best
                                 : !progress_.best_loss || loss < *progress_.best_loss;
      if (!is_better) return false;
      progress_.best_loss = loss;
      progress_.best_measure = measure;
    }
    return true;
  }

  double ms_per_iteration() const { return 1e3 * seconds_ / static_cast<double>(steps_); }

  void add_row(const std::optional<judgement>& judged) {
    log_row row{.iteration = progress_.iteration};
    if (judged) {
      row.validation_loss = judged->loss;
      row.measure = judged->measure;
    }
    if (progress_.loss_count > 0)
      row.training_loss = progress_.loss_sum / static_cast<double>(progress_.loss_count);
    if (steps_ > 0) {
      row.ms_per_iteration = ms_per_iteration();
      row.tokens_per_second = 1e3 * task_->sequences() * task_->length() *
                              static_cast<double>(s_.accumulate) / ms_per_iteration();
    }
    log_.add(row);
    progress_.loss_sum = seconds_ = 0;
    progress_.loss_count = steps_ = 0;
  }

  void draw() const {
    auto run = std::filesystem::absolute(folder_).lexically_normal();
    if (!run.has_filename()) run = run.parent_path(); // RUN/
    transept::write_text(
        picture_, loss_curve(s_.preset + ": " + run.filename().string(), task_->loss_unit(), log_.rows()));
  }

  void conclude() {
    display_.clear_line();
    const std::string folder = folder_.string();
    if (progress_.iteration < s_.iterations) {
      std::cout << (progress_.iteration == 0 ? "\nStopped before the first iteration.\n"
                                             : "\nStopped after iteration " + grouped(progress_.iteration) +
                                                   "; the checkpoint is written.\n")
                << "  To go on: train --resume --out " << folder << std::endl;
      return;
    }
    std::cout << "\n";
    task_->conclude(last_judgement_);
    std::cout << "The best model (iteration " << grouped(progress_.best_iteration) << ") is in " << folder
              << "; " << task_->next_step(folder) << std::endl;
  }

  const training_settings s_;
  const std::filesystem::path folder_;
  run_progress progress_; // before what reads it
  std::unique_ptr<training_task> task_;
  any_trainer& trainer_;
  std::function<double(std::size_t)> rate_;
  display display_;
  const std::filesystem::path picture_;
  training_log log_;
  std::optional<judgement> last_judgement_;
  double seconds_ = 0; ///< of the steps since the log's last row
  std::size_t steps_ = 0;
};

} // namespace

void train(const training_settings& settings, const run_options& options) {
  const auto& folder = options.folder;
  const bool is_new = !has_run(folder);
  if (!is_new && !options.resume)
    throw transept::file_error(
        folder.string() + ": holds a run already: --resume goes on with it, another --out begins a new one");
  if (is_new && options.resume && settings.text.empty() && settings.data.empty())
    throw transept::file_error("there is no run in " + folder.string() +
                               "\n  To begin one, give --text, the text to learn.");
  if (is_new) check_settings(settings);
  starting_folder held(folder);
  remove_leftovers(folder);
  if (is_new) {
    announce_run(folder);
    prepare_data(settings, folder, options.threads);
  } else {
    check_unchanged(settings_of_run(folder, settings.preset), settings);
  }
  training_run run(settings, options);
  publish_settings(settings, folder);
  held.keep();
  end_at_signals();
  run.go();
}

} // namespace examples
