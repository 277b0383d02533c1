// Trains a GPT-2: a new one, or one that is there already (fine-tuning).
//
//   train --preset shakespeare-char-cpu --text input.txt --out my-model
//   generate --model my-model
//   train --preset gpt2 --from gpt2 --text input.txt --out my-gpt2
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <common/checks.hpp>
#include <common/program.hpp>
#include <training/run.hpp>
#include <training/settings.hpp>

namespace {

using examples::training_settings;

/// What decides about the defaults of all other options.
struct first_choices {
  std::string preset;
  std::filesystem::path out, from;
  bool resume = false;
};

/// Reads these, and leaves all else, errors too, to the second reading.
first_choices look_ahead(int argc, char** argv) {
  first_choices found;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_option("--preset", found.preset);
  app.add_option("--out", found.out);
  app.add_option("--from", found.from);
  app.add_flag("--resume", found.resume);
  try {
    app.parse(examples::arguments_in_reverse(argc, argv));
  } catch (const CLI::ParseError&) {
  }
  if (found.preset.empty()) found.preset = found.from.empty() ? "shakespeare-char-cpu" : "gpt2";
  return found;
}

CLI::Validator one_of(std::set<std::string> choices) {
  return CLI::IsMember(std::move(choices)).description("");
}

/// Ranges, where the library does not check them.
void add_checks(CLI::App& app) {
  for (const char* name : {"--layers", "--heads", "--width", "--context", "--iterations", "--batch",
                           "--accumulate", "--evaluate-every", "--checkpoint-every", "--keep"})
    app.get_option(name)->check(examples::whole_number_between(1, 1'000'000'000));
  for (const char* name : {"--warmup", "--evaluate-batches", "--sample-tokens", "--train-blocks"})
    app.get_option(name)->check(examples::whole_number_between(0, 1'000'000'000));
  app.get_option("--seed")->check(examples::whole_number());
  for (const char* name : {"--learning-rate", "--least-learning-rate", "--weight-decay", "--clip"})
    app.get_option(name)->check(examples::not_negative());
  for (const char* name : {"--beta1", "--beta2", "--validation", "--dropout", "--label-smoothing"})
    app.get_option(name)->check(CLI::Range(0.0, 1.0).description(""));
  app.get_option("--schedule")->check(one_of({"cosine", "linear", "inverse-sqrt", "constant"}));
  app.get_option("--products")->check(one_of({"f32", "bf16", "bf16x3"}));
  app.get_option("--dtype")->check(one_of({"f32", "f16", "bf16"}));
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a GPT-2 on a text: a new one, or one that is there already (--from).\n"
               "Ctrl-C ends with a checkpoint; --resume goes on as if nothing had been.",
               "train");
  app.footer("  train --preset shakespeare-char-cpu --text input.txt --out my-model\n"
             "  generate --model my-model\n"
             "  train --preset gpt2 --from gpt2 --text input.txt --out my-gpt2");
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
  app.add_flag("--resume", options.resume, "Go on with the run in that folder, if there is one");
  examples::for_each_setting(settings,
                             [&](const char* name, auto& value, const char* type, const char* what) {
                               const std::string option = std::string("--") + name;
                               if constexpr (std::is_same_v<decltype(value), bool&>)
                                 app.add_flag(option, value, what);
                               else
                                 app.add_option(option, value, what)->type_name(type)->capture_default_str();
                             });
  app.add_option("--log", options.log, "Table of the run; default: log.csv in the folder")
      ->type_name("FILE.csv");
  app.add_option("--picture", options.picture, "The loss, drawn; default: loss.svg in the folder")
      ->type_name("FILE.svg");
  app.add_option("--threads", options.threads, "Threads to compute with; 0: one per processor")
      ->type_name("N")
      ->capture_default_str();
  add_checks(app);
  return examples::run_program(app, argc, argv, [&] { examples::train(settings, options); });
}
