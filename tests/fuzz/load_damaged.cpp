// Loads what it is given, whole or damaged, and insists that every outcome is a model that runs or a
// transept::error. Build it with -fsanitize=address,undefined.
//
//   load_damaged PATH…                        loads each folder or file as it is (a corpus of damaged ones)
//   load_damaged --iterations N [--seed S] [PATH…]
//                                             damages copies of the folders and GGUF files N times each;
//                                             without one, of a tiny model that it makes itself, as both, and
//                                             of a tiny folder of each family (tests/fixtures/models,
//                                             encoders)
//
// Iteration i of seed S damages as iteration 0 of seed S + i does, so one can be repeated alone. Where a
// sanitizer ends the program, the damaged folder stays in the place that was printed at the start.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include <support/damage.hpp>
#include <support/k_quant_file.hpp>
#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/encode/encode.hpp>
#include <transept/encode/sentence_modules.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/convert_files.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/model_config.hpp>
#include <transept/io/npy.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/all.hpp>
#include <transept/models/all_encoders.hpp>
#include <transept/models/initialise.hpp>
#include <transept/text/byte_alphabet.hpp>

namespace {

namespace fs = std::filesystem;

constexpr transept::gpt2_config tiny{
    .n_embd = 8, .n_layer = 2, .n_head = 2, .vocab_size = 11, .n_positions = 5};
constexpr transept::gpt2_config shipped{.n_embd = 256, .n_layer = 4, .n_head = 4};
using tiny_model = transept::gpt2<tiny.any_vocabulary()>;
using shipped_model = transept::gpt2<shipped.any_vocabulary()>;
// As wide as a block.
constexpr transept::gpt2_config block_wide{
    .n_embd = 32, .n_layer = 1, .n_head = 2, .vocab_size = 300, .n_positions = 5};
using block_wide_model = transept::gpt2<block_wide.any_vocabulary()>;
/// Compiled shapes first, then any shape of any family.
using known_models = decltype(joined(transept::model_list<tiny_model, block_wide_model, shipped_model>{},
                                     joined(transept::all_models{}, transept::all_encoders{})));

unsigned sum_of(const std::vector<transept::stored_tensor>& tensors) {
  unsigned sum = 0;
  for (const auto& tensor : tensors) {
    for (const std::byte value : tensor.bytes) sum += std::to_integer<unsigned>(value);
  }
  return sum;
}

struct tally {
  std::uint64_t loaded = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
};

/// Runs `load`; anything but success and transept::error is a failure, and is told with `what` was loaded.
template <class Load>
void attempt(tally& counts, const std::string& what, bool show, Load&& load) {
  try {
    load();
    ++counts.loaded;
    if (show) std::cout << what << ": loaded\n";
  } catch (const transept::error& refusal) {
    ++counts.refused;
    if (show) std::cout << what << ": refused: " << refusal.what() << '\n';
  } catch (const std::exception& other) {
    ++counts.failed;
    std::cout << what << ": FAILED: expected transept::error, found " << other.what() << std::endl;
  }
}

void load_weights(const fs::path& folder);

void load_file(const fs::path& path) {
  const std::string name = path.filename().string();
  if (transept::is_gguf(path)) return load_weights(path);
  if (name.ends_with(".safetensors"))
    sum_of(transept::safetensors_file::open(path).tensors());
  else if (name.ends_with(".npy"))
    transept::read_npy(path);
  else
    transept::to_declaration<transept::gpt2_family>(transept::read_config<transept::gpt2_family>(path).shape,
                                                    "model");
}

void load_weights(const fs::path& folder) {
  sum_of(transept::checkpoint::open(folder).tensors());
  visit_model(known_models{}, folder, {.threads = 1}, [](const auto& model) {
    const std::vector<transept::token_id> tokens{0};
    if constexpr (transept::encoder_model<std::remove_cvref_t<decltype(model)>>) {
      transept::encoder_session session({.threads = 1});
      transept::text_batch texts;
      texts.add(tokens);
      const bool has_head = model.settings.head != transept::encoder_head::none;
      return static_cast<int>(encode(model, session, texts.input(), {.logits = has_head}).logits.size());
    } else {
      transept::session session(model, {.threads = 1, .capacity = 1});
      return static_cast<int>(forward(model, session, tokens).size());
    }
  });
}

void load_vocabulary(const fs::path& folder) {
  const auto tokenizer = transept::load_tokenizer(folder);
  const std::string text = "First Citizen:\n  \xff\xf0\x9f\x98\x81 's 12";
  const auto ids = tokenizer.encode(text);
  const bool keeps_texts = tokenizer.rules() == transept::text_rules{};
  if (tokenizer.decode(ids) != text && keeps_texts)
    throw std::runtime_error("a tokenizer that does not give the text back");
}

/// The 256 bytes and one merge.
void write_byte_vocabulary(const fs::path& folder) {
  std::string table = "{";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    table += transept::json_literal(transept::to_byte_alphabet({&c, 1})) + ":" + std::to_string(byte) + ",";
  }
  support::write_file(folder / "vocab.json", table + "\"aa\":256}");
  support::write_file(folder / "merges.txt", "a a\n");
}

/// A sentence-transformers folder with all that one may have.
void write_sentence_encoder(const fs::path& folder) {
  fs::copy(support::fixture("encoders/albert_base_inner_group/model"), folder, fs::copy_options::recursive);
  const std::string type = R"(", "type": "sentence_transformers.models.)";
  support::write_file(folder / "modules.json", R"([{"path": ")" + type +
                                                   R"(Transformer"}, {"path": "1_Pooling)" + type +
                                                   R"(Pooling"}, {"path": "2_Dense)" + type + R"(Dense"}])");
  for (const char* const name : {"1_Pooling", "2_Dense"}) fs::create_directories(folder / name);
  support::write_file(folder / "1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  support::write_file(folder / "2_Dense/config.json",
                      R"({"in_features": 2, "out_features": 1, "bias": false})");
  const std::vector<transept::tensor_entry> tensors{{"linear.weight", {1, 2}, transept::element_type::f32}};
  transept::safetensors_stream file(folder / "2_Dense/model.safetensors", tensors);
  const std::array<float, 2> weight{1, 2};
  file.write(std::as_bytes(std::span(weight)));
  file.commit();
  support::write_file(folder / "sentence_bert_config.json", R"({"max_seq_length": 12})");
  support::write_file(folder / "config_sentence_transformers.json",
                      R"({"prompts": {"query": "q: "}, "default_prompt_name": "query"})");
}

void load_folder(tally& counts, const fs::path& folder, bool show) {
  const std::string name = folder.string();
  attempt(counts, name + " (weights)", show, [&] { load_weights(folder); });
  if (transept::is_gguf(folder) || fs::exists(folder / "vocab.json") || fs::exists(folder / "tokenizer.json"))
    attempt(counts, name + " (vocabulary)", show, [&] { load_vocabulary(folder); });
  if (fs::exists(folder / "modules.json"))
    attempt(counts, name + " (modules)", show, [&] { transept::read_sentence_modules(folder); });
}

void load_damaged(tally& counts, const fs::path& folder, std::uint64_t seed, std::uint64_t iterations) {
  const support::temporary_folder copy;
  std::cout << "damaged copies of " << folder.string() << " are in " << copy.path().string() << std::endl;
  std::vector<fs::path> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string extension = entry.path().extension().string();
    if (extension != ".json" && extension != ".safetensors" && extension != ".txt") continue;
    names.push_back(fs::relative(entry.path(), folder));
    fs::create_directories((copy / names.back()).parent_path());
    fs::copy_file(entry.path(), copy / names.back());
  }
  std::sort(names.begin(), names.end()); // a directory's own order differs between machines
  if (names.empty()) throw std::runtime_error(folder.string() + ": nothing to damage");
  for (std::uint64_t i = 0; i < iterations; ++i) {
    support::damage damage(seed + i);
    const fs::path& name = names[damage.below(names.size())];
    const std::string valid = support::read_file(folder / name);
    support::write_file(copy / name, damage.apply(valid, 4096));
    const std::uint64_t failed = counts.failed;
    load_folder(counts, copy.path(), false);
    if (counts.failed != failed) std::cout << "  damaged: " << name << ", seed " << seed + i << std::endl;
    support::write_file(copy / name, valid);
    if ((i + 1) % 1000 == 0) std::cerr << i + 1 << " iterations\n";
  }
}

void load_damaged_file(tally& counts, const fs::path& path, std::uint64_t seed, std::uint64_t iterations) {
  const support::temporary_folder folder;
  const fs::path copy = folder / "m.gguf";
  std::cout << "damaged copies of " << path.string() << " are " << copy.string() << std::endl;
  const std::string valid = support::read_file(path);
  for (std::uint64_t i = 0; i < iterations; ++i) {
    support::damage damage(seed + i);
    support::write_file(copy, damage.apply(valid, i % 2 == 0 ? 700 : valid.size()));
    const std::uint64_t failed = counts.failed;
    load_folder(counts, copy, false);
    if (counts.failed != failed) std::cout << "  damaged: seed " << seed + i << std::endl;
    if ((i + 1) % 1000 == 0) std::cerr << i + 1 << " iterations\n";
  }
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size())
    throw std::runtime_error("expected a number, found " + std::string(text));
  return value;
}

} // namespace

int main(int argc, char** argv) try {
  std::uint64_t seed = 0;
  std::uint64_t iterations = 0;
  std::vector<fs::path> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool takes_number = argument == "--seed" || argument == "--iterations";
    if (takes_number && i + 1 < argc)
      (argument == "--seed" ? seed : iterations) = number(argv[++i]);
    else if (argument.starts_with("--"))
      throw std::runtime_error("unknown or incomplete option " + std::string(argument));
    else
      paths.emplace_back(argument);
  }
  if (paths.empty() && iterations == 0) {
    std::cerr << "usage: load_damaged PATH... | load_damaged --iterations N [--seed S] [PATH...]\n";
    return 2;
  }
  tally counts;
  const support::temporary_folder made;
  if (paths.empty()) {
    save(transept::initialise<tiny_model>(1, {.vocab_size = 11, .n_positions = 5, .threads = 1}),
         made / "tiny");
    paths.push_back(made / "tiny");
    save(transept::initialise<block_wide_model>(1, {.vocab_size = 300, .n_positions = 5, .threads = 1}),
         made / "wide");
    write_byte_vocabulary(made / "wide");
    transept::convert_to_gguf<transept::gpt2_family>(transept::model_files::open(made / "wide"),
                                                     made / "wide.gguf",
                                                     {.type = transept::element_type::q4_0, .threads = 1});
    paths.push_back(made / "wide.gguf");
    support::k_quant_file("Q6_K", "Q4_K", "Q6_K", "Q4_K").write(made / "k.gguf");
    support::k_quant_file("Q3_K", "Q2_K", "Q5_K", "Q5_0").write(made / "l.gguf");
    for (const char* const name : {"k.gguf", "l.gguf"}) paths.push_back(made / name);
    write_sentence_encoder(made / "sentences");
    paths.push_back(made / "sentences");
    for (const char* const kind : {"models", "encoders"})
      for (const auto& family : fs::directory_iterator(support::fixture(kind))) {
        paths.push_back(family.path() / "model");
        if (fs::exists(family.path() / "model.gguf")) paths.push_back(family.path() / "model.gguf");
      }
    std::sort(paths.begin(), paths.end());
  }
  for (const auto& path : paths) {
    if (iterations > 0 && transept::is_gguf(path))
      load_damaged_file(counts, path, seed, iterations);
    else if (iterations > 0)
      load_damaged(counts, path, seed, iterations);
    else if (fs::is_directory(path))
      load_folder(counts, path, true);
    else
      attempt(counts, path.string(), true, [&] { load_file(path); });
  }
  std::cout << counts.loaded << " loaded, " << counts.refused << " refused, " << counts.failed << " failed\n";
  return counts.failed == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 2;
}
