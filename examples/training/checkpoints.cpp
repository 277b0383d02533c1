#include <training/checkpoints.hpp>

#include <algorithm>
#include <charconv>

#include <transept/core/json.hpp>
#include <transept/io/atomic_folder.hpp>
#include <transept/io/vocabulary_writer.hpp>

namespace examples {
namespace {

constexpr std::string_view folder_prefix = "checkpoint-";
constexpr const char* state_file = "optimizer.safetensors";
constexpr const char* progress_key = "progress";

std::string to_text(const run_progress& progress) {
  transept::json object = {
      {"iteration", progress.iteration},           {"loss_sum", progress.loss_sum},
      {"loss_count", progress.loss_count},         {"best_iteration", progress.best_iteration},
      {"smoothed_loss", progress.course.smoothed}, {"lowest_smoothed_loss", progress.course.lowest},
      {"high_losses", progress.course.high}};
  if (progress.best_loss) object["best_loss"] = *progress.best_loss;
  if (progress.best_measure) object["best_measure"] = *progress.best_measure;
  return object.dump();
}

run_progress progress_from(const std::string& text, const std::string& source) {
  const transept::json object = transept::parse_json(text, source, 2);
  const auto number = [&](const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number())
      throw transept::format_error(source + ": expected a number " + key);
    return *found;
  };
  run_progress progress{.iteration = number("iteration").get<std::size_t>(),
                        .loss_sum = number("loss_sum").get<double>(),
                        .loss_count = number("loss_count").get<std::size_t>(),
                        .best_iteration = number("best_iteration").get<std::size_t>(),
                        .course = {.smoothed = number("smoothed_loss").get<double>(),
                                   .lowest = number("lowest_smoothed_loss").get<double>(),
                                   .high = number("high_losses").get<std::size_t>()}};
  if (object.contains("best_measure")) progress.best_measure = number("best_measure").get<double>();
  if (object.contains("best_loss")) progress.best_loss = number("best_loss").get<double>();
  return progress;
}

} // namespace

std::vector<std::size_t> checkpoints_in(const std::filesystem::path& run) {
  std::vector<std::size_t> iterations;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(run, none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(folder_prefix)) continue;
    std::size_t iteration = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, problem] = std::from_chars(name.data() + folder_prefix.size(), end, iteration);
    if (problem == std::errc{} && stop == end) iterations.push_back(iteration);
  }
  std::ranges::sort(iterations);
  return iterations;
}

std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::size_t iteration) {
  return run / (std::string(folder_prefix) + std::to_string(iteration));
}

bool is_partial_checkpoint(std::string_view name) {
  return name.starts_with(folder_prefix) && name.ends_with(transept::atomic_folder::partial_suffix);
}

void save_checkpoint(any_trainer& trainer, const run_progress& progress, const std::filesystem::path& run,
                     std::size_t keep) {
  transept::atomic_folder folder(checkpoint_folder(run, progress.iteration));
  trainer.save_model(folder.path(), transept::element_type::f32);
  transept::copy_vocabulary_files(run, folder.path());
  trainer.save_state(folder.path() / state_file, {{progress_key, to_text(progress)}});
  folder.commit();
  auto old = checkpoints_in(run);
  for (; old.size() > std::max<std::size_t>(keep, 1); old.erase(old.begin())) {
    // A folder that is half removed must not look like a checkpoint.
    const auto goes = checkpoint_folder(run, old.front());
    auto gone = goes;
    gone += transept::atomic_folder::partial_suffix;
    std::error_code ignored;
    std::filesystem::rename(goes, gone, ignored);
    std::filesystem::remove_all(gone, ignored);
  }
}

run_progress load_checkpoint(any_trainer& trainer, const std::filesystem::path& checkpoint) {
  const auto file = checkpoint / state_file;
  const auto metadata = trainer.load_state(file);
  const auto found = metadata.find(progress_key);
  if (found == metadata.end())
    throw transept::format_error(file.string() + ": __metadata__: expected the key progress, found none");
  return progress_from(found->second, file.string() + ": __metadata__: progress");
}

} // namespace examples
