// Trains a model: a new one, or one that is there already (fine-tuning).
//
//   train --preset shakespeare-char-cpu --text input.txt --out my-model
//   generate --model my-model
//   train --preset gpt2 --from gpt2 --text input.txt --out my-gpt2
//   train --task tagging --from bert --data tags.jsonl --out my-tagger
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include <common/program.hpp>
#include <common/tokenizer.hpp>
#include <training/run.hpp>
#include <training/run_folder.hpp>
#include <training/setting_checks.hpp>
#include <training/settings.hpp>

namespace {

using examples::training_settings;

/// What decides about the defaults of all other options.
struct first_choices {
  std::string preset, task;
  std::filesystem::path out, from;
  bool resume = false;
};

std::string default_preset(const first_choices& chosen) {
  const bool is_new = chosen.from.empty();
  if (chosen.task.empty() || chosen.task == "generation") return is_new ? "shakespeare-char-cpu" : "gpt2";
  return !is_new ? "bert" : chosen.task == "classification" ? "sentiment" : "tiny-bert";
}

/// Reads these, and leaves all else, errors too, to the second reading.
first_choices look_ahead(int argc, char** argv) {
  first_choices found;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_option("--preset", found.preset);
  app.add_option("--task", found.task);
  app.add_option("--out", found.out);
  app.add_option("--from", found.from);
  app.add_flag("--resume", found.resume);
  try {
    app.parse(examples::arguments_in_reverse(argc, argv));
  } catch (const CLI::ParseError&) {
  }
  if (found.preset.empty()) found.preset = default_preset(found);
  return found;
}

/// Refuses options that a model to go on from leaves nothing to decide about. Its vocabulary is its own
/// (empty in the settings) unless it has none.
void settle_from(const CLI::App& app, training_settings& settings, const std::filesystem::path& run) {
  if (settings.from.empty()) return;
  const auto given = [&](const char* name) { return app.get_option(name)->count() > 0; };
  for (const char* name : {"--architecture", "--layers", "--heads", "--width", "--positions", "--vocabulary"})
    if (given(name) && (name != std::string_view("--vocabulary") || examples::find_tokenizer(settings.from)))
      throw transept::argument_error(std::string(name) + " cannot be given: the model of --from has its own");
  if (!given("--vocabulary") && !examples::has_run(run)) settings.vocabulary.clear();
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a model on a text: a new one, or one that is there already (--from).\n"
               "Ctrl-C ends with a checkpoint; --resume goes on as if nothing had been.",
               "train");
  app.footer("  train --preset shakespeare-char-cpu --text input.txt --out my-model\n"
             "  generate --model my-model\n"
             "  train --preset gpt2 --from gpt2 --text input.txt --out my-gpt2\n"
             "  train --preset sentiment --data reviews.jsonl --out my-classifier\n"
             "  train --task tagging --from bert --data tags.jsonl --out my-tagger");
  const first_choices first = look_ahead(argc, argv);
  training_settings settings;
  try {
    settings = first.resume ? examples::settings_of_run(first.out, first.preset)
                            : examples::preset_named(first.preset);
  } catch (const transept::error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  examples::run_options options;
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--preset", settings.preset, "What all other settings are by default")
      ->type_name(examples::preset_choices)
      ->capture_default_str();
  app.add_option("--out", options.folder, "Folder of the run and of the model")
      ->type_name("FOLDER")
      ->required();
  app.add_flag("--resume", options.resume,
               "Go on with the run in that folder, if there is one; begin it if not");
  examples::for_each_setting(settings,
                             [&](const char* name, auto& value, const char* type, const char* what) {
                               const std::string option = std::string("--") + name;
                               if constexpr (std::is_same_v<decltype(value), bool&>)
                                 app.add_flag(option, value, what);
                               else
                                 app.add_option(option, value, what)->type_name(type)->capture_default_str();
                             });
  app.add_option("--threads", options.threads, "Threads to compute with; 0: one per processor")
      ->type_name("N")
      ->capture_default_str();
  for (const auto& [name, check] : examples::setting_checks())
    app.get_option(std::string("--") + name)->check(check);
  if (settings.prompt == "\n") app.get_option("--prompt")->default_str("\\n"); // a line break, shown
  return examples::run_program(app, argc, argv, [&] {
    settle_from(app, settings, options.folder);
    examples::train(settings, options);
  });
}
