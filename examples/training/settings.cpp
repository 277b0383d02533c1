#include <training/settings.hpp>

#include <set>

#include <training/setting_checks.hpp>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>

namespace examples {

training_settings preset_named(const std::string& name) {
  training_settings settings;
  settings.preset = name;
  if (name == "shakespeare-char-cpu") return settings;
  if (name == "shakespeare-char") { // nanoGPT's setting for a GPU
    settings.layers = settings.heads = 6;
    settings.width = 384;
    settings.context = 256;
    settings.batch = 64;
    settings.iterations = 5000;
    settings.dropout = 0.2;
    return settings;
  }
  if (name == "shakespeare-bpe") { // models/shakespeare
    settings.vocabulary = TRANSEPT_DEFAULT_MODEL;
    settings.width = 256;
    settings.context = 256;
    settings.batch = 4;
    settings.iterations = 6000;
    settings.dropout = 0.15;
    settings.least_learning_rate = 5e-5;
    settings.warmup = 200;
    settings.evaluate_every = 500;
    settings.evaluate_batches = 0;
    settings.dtype = "f16";
    settings.prompt = "ROMEO:\n";
    return settings;
  }
  if (name == "gpt2") {
    settings.context = 256;
    settings.batch = 4;
    settings.iterations = 200;
    settings.dropout = 0.1;
    settings.learning_rate = 5e-5;
    settings.least_learning_rate = 0;
    settings.schedule = "linear";
    settings.warmup = 20;
    settings.beta_2 = 0.999;
    settings.weight_decay = 0.01;
    settings.evaluate_every = settings.checkpoint_every = 50;
    return settings;
  }
  if (name == "tiny-bert") { // the shape that Turc et al. 2019 call BERT-Tiny
    settings.task = "masked";
    settings.architecture = "bert";
    settings.vocabulary = "1000";
    settings.layers = settings.heads = 2;
    settings.context = settings.batch = 64;
    settings.positions = 128;
    settings.iterations = 4000;
    settings.learning_rate = 2e-3;
    settings.beta_2 = 0.999;
    settings.weight_decay = 0.01;
    settings.schedule = "linear";
    settings.least_learning_rate = 0;
    settings.warmup = 300;
    settings.evaluate_every = settings.checkpoint_every = 500;
    return settings;
  }
  if (name == "sentiment") { // the classifier of "Transformers from scratch"
    settings.task = "classification";
    settings.architecture = "transept-classifier";
    settings.vocabulary = "8000";
    settings.layers = 1;
    settings.context = 128;
    settings.batch = 32;
    settings.iterations = 2000;
    settings.dropout = settings.word_dropout = 0.3;
    settings.learning_rate = 3e-4;
    settings.least_learning_rate = 3e-5;
    settings.evaluate_every = settings.checkpoint_every = 200;
    return settings;
  }
  if (name == "bert") { // fine-tuning
    settings.task = "classification";
    settings.architecture = "bert";
    settings.vocabulary.clear();
    settings.context = 128;
    settings.batch = 32;
    settings.iterations = 1000;
    settings.dropout = 0.1;
    settings.learning_rate = 5e-5;
    settings.least_learning_rate = 0;
    settings.schedule = "linear";
    settings.beta_2 = 0.999;
    settings.weight_decay = 0.01;
    settings.evaluate_every = settings.checkpoint_every = 100;
    return settings;
  }
  throw transept::argument_error("--preset: expected " + std::string(preset_choices) + ", found " + name);
}

transept::json to_json(const training_settings& settings) {
  transept::json object = {{"preset", settings.preset}};
  for_each_setting(settings, [&](const char* name, const auto& value, const char*, const char*) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::filesystem::path>)
      object[name] = value.empty() ? "" : std::filesystem::absolute(value).string();
    else
      object[name] = value;
  });
  return object;
}

training_settings settings_from_json(const transept::json& object, const std::string& source) {
  training_settings settings;
  const auto fail = [&](const std::string& what) { throw transept::format_error(source + ": " + what); };
  if (!object.is_object()) fail("expected an object, found " + transept::described(object));
  std::set<std::string> names{"preset"};
  const auto read = [&](const char* name, auto& value) {
    using type = std::remove_cvref_t<decltype(value)>;
    const auto found = object.find(name);
    if (found == object.end()) return; // a setting that an older program had not
    const bool fits = std::is_same_v<type, bool>       ? found->is_boolean()
                      : std::is_floating_point_v<type> ? found->is_number()
                      : std::is_integral_v<type>       ? found->is_number_unsigned()
                                                       : found->is_string();
    if (!fits)
      fail(std::string("key ") + name + ": not a value of this setting: " + transept::described(*found));
    if constexpr (std::is_arithmetic_v<type>)
      value = found->template get<type>();
    else
      value = found->template get<std::string>();
  };
  read("preset", settings.preset);
  for_each_setting(settings, [&](const char* name, auto& value, const char*, const char*) {
    names.insert(name);
    read(name, value);
  });
  for (const auto& [key, value] : object.items())
    if (!names.contains(key)) fail("key " + transept::quoted(key) + " is no setting");
  const transept::json values = to_json(settings);
  for (const auto& [name, check] : setting_checks()) {
    const transept::json& value = values[name];
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (const std::string problem = check(text); !problem.empty())
      fail("key " + std::string(name) + ": " + problem);
  }
  return settings;
}

} // namespace examples
