// Texts to a vocabulary: vocab.json and merges.txt, for this library and for Hugging Face.
//
//   train_tokenizer shakespeare.txt --out my-vocabulary --vocab-size 1024
//   train_tokenizer shakespeare.txt --out characters --characters
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <common/checks.hpp>
#include <common/program.hpp>
#include <common/progress.hpp>
#include <common/terminal.hpp>
#include <common/texts.hpp>

#include <transept/core/json.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/train/train_tokenizer.hpp>

namespace {

struct settings {
  std::vector<std::filesystem::path> files;
  std::filesystem::path out;
  transept::bpe_options bpe;
  bool characters = false, json = false;
  int threads = 0;
};

struct summary {
  transept::vocabulary vocabulary;
  std::uint64_t words = 0, different_words = 0;
  std::uint64_t tokens = 0; ///< that the texts have
};

summary learn_characters(const examples::input_texts& texts, transept::thread_pool& threads) {
  transept::character_set characters;
  texts.for_each("Collecting characters", [&](std::string_view text, const auto& progress) {
    collect_characters(threads, text, characters, {}, progress);
  });
  summary result;
  result.vocabulary = character_vocabulary(characters);
  return result;
}

summary learn_pairs(const settings& chosen, const examples::input_texts& texts,
                    transept::thread_pool& threads) {
  transept::word_counts words;
  texts.for_each("Counting words", [&](std::string_view text, const auto& progress) {
    count_words(threads, text, words, chosen.bpe.special_tokens, progress);
  });
  transept::bpe_options options = chosen.bpe;
  examples::progress_bar bar("Learning merges");
  options.progress = [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); };
  summary result;
  result.vocabulary = learn_vocabulary(words, options);
  result.words = words.total();
  result.different_words = words.size();
  const transept::tokenizer tokenizer(result.vocabulary);
  for (std::size_t i = 0; i < words.size(); ++i)
    result.tokens += tokenizer.encode(words.word(i)).size() * words.count(i);
  return result;
}

void print(const settings& chosen, const examples::input_texts& texts, const summary& learned) {
  const std::size_t tokens = learned.vocabulary.tokens.size(), merges = learned.vocabulary.merges.size();
  if (chosen.json) {
    transept::json object = {{"folder", chosen.out.string()},
                             {"bytes", texts.bytes()},
                             {"vocab_size", tokens},
                             {"merges", merges}};
    if (!chosen.characters) {
      object["words"] = learned.words;
      object["different_words"] = learned.different_words;
      object["tokens"] = learned.tokens;
    }
    std::cout << object.dump() << '\n';
    return;
  }
  std::cout << chosen.out.string() << ": " << examples::grouped(tokens) << " tokens, "
            << examples::grouped(merges) << " merges\n  from " << examples::grouped(texts.bytes())
            << " bytes";
  if (!chosen.characters)
    std::cout << ", " << examples::grouped(learned.words) << " words, "
              << examples::grouped(learned.different_words) << " of them different\n  the texts have "
              << examples::grouped(learned.tokens) << " tokens, "
              << examples::decimal(static_cast<double>(texts.bytes()) /
                                       static_cast<double>(std::max<std::uint64_t>(learned.tokens, 1)),
                                   2)
              << " bytes each";
  std::cout << '\n';
}

void run(const settings& chosen) {
  if (std::filesystem::exists(chosen.out / "vocab.json"))
    throw transept::file_error((chosen.out / "vocab.json").string() +
                               ": is there already: give another folder, or remove it first");
  const examples::input_texts texts(chosen.files);
  if (texts.bytes() == 0) throw transept::argument_error("the texts are empty: nothing to learn from");
  transept::thread_pool threads(chosen.threads);
  const summary learned =
      chosen.characters ? learn_characters(texts, threads) : learn_pairs(chosen, texts, threads);
  write_vocabulary_files(learned.vocabulary, chosen.out);
  print(chosen, texts, learned);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns a byte-level BPE vocabulary, or one of characters, from texts and writes vocab.json\n"
               "and merges.txt, as Hugging Face's trainer does",
               "train_tokenizer");
  app.footer("  train_tokenizer shakespeare.txt --out my-vocabulary --vocab-size 1024\n"
             "  tokenize --model my-vocabulary shakespeare.txt --out shakespeare.tokens");
  settings chosen;
  app.add_option("FILE", chosen.files, "Texts; none, or -: standard input")->type_name("");
  app.add_option("--out", chosen.out, "Folder to write")->type_name("FOLDER")->required();
  auto* const characters = app.add_flag("--characters", chosen.characters,
                                        "A token per character of the texts, and no others (nanoGPT's ids)");
  const auto only_merges = [&](CLI::Option* option) { option->excludes(characters)->capture_default_str(); };
  only_merges(app.add_option("--vocab-size", chosen.bpe.vocab_size,
                             "Tokens to learn up to: special ones, 256 bytes and merges")
                  ->type_name("N")
                  ->check(examples::whole_number()));
  only_merges(app.add_option("--min-frequency", chosen.bpe.min_frequency,
                             "Pairs that occur less often are not merged")
                  ->type_name("N")
                  ->check(examples::whole_number()));
  only_merges(app.add_option("--special", chosen.bpe.special_tokens, "A special token; may be repeated")
                  ->type_name("TEXT")
                  ->expected(1)
                  ->take_all());
  app.add_option("--threads", chosen.threads, "Threads to compute with; 0: one per processor")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--json", chosen.json, "Print one JSON object");
  return examples::run_program(app, argc, argv, [&] { run(chosen); });
}
