#include <training/data.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <common/terminal.hpp>
#include <common/texts.hpp>
#include <common/tokenizer.hpp>

#include <transept/io/load_tokenizer.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/train/train_tokenizer.hpp>

namespace examples {
namespace {

struct split_text {
  std::string_view training, validation;
};

/// The last `share` of the text, cut between two characters, is for validation.
split_text split(std::string_view text, double share) {
  auto at = static_cast<std::size_t>(static_cast<double>(text.size()) * (1 - share));
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u) ++at;
  return {text.substr(0, at), text.substr(at)};
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

void make_vocabulary(const training_settings& settings, const split_text& texts,
                     const std::filesystem::path& run, transept::thread_pool& threads) {
  if (settings.vocabulary.empty() && !settings.from.empty()) { // that of the model to go on from
    try {
      (void)open_tokenizer(settings.from); // what is wrong is told of that folder, not of its copy
    } catch (const transept::file_error& error) {
      throw transept::file_error(error.what() +
                                 std::string("\n  or --vocabulary, for a model that has none"));
    }
    return write_vocabulary_files(transept::model_files::open(settings.from), run);
  }
  if (settings.vocabulary == "characters") {
    transept::character_set characters;
    std::vector<std::string> special; // where the text has it, as between documents
    for (const std::string_view text : {texts.training, texts.validation})
      if (text.find(transept::tokenizer::end_of_text_text) != text.npos)
        special = {std::string(transept::tokenizer::end_of_text_text)};
    for (const std::string_view text : {texts.training, texts.validation})
      collect_characters(threads, text, characters, special);
    return write_vocabulary_files(character_vocabulary(characters, special), run);
  }
  if (is_number(settings.vocabulary)) {
    if (settings.vocabulary.size() > 9)
      throw transept::argument_error("--vocabulary: " + settings.vocabulary + " tokens are too many");
    transept::bpe_options options;
    options.vocab_size = static_cast<std::size_t>(std::stoul(settings.vocabulary));
    progress_bar bar("Learning a vocabulary");
    options.progress = [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); };
    transept::word_counts words;
    count_words(threads, texts.training, words,
                options.special_tokens); // what validation has is not known yet
    try {
      return write_vocabulary_files(learn_vocabulary(words, options), run);
    } catch (const transept::argument_error& error) {
      throw transept::argument_error("--vocabulary " + settings.vocabulary + ": " + error.what());
    }
  }
  if (!std::filesystem::is_directory(settings.vocabulary))
    throw transept::argument_error(
        "--vocabulary: expected the word characters, a number of tokens, or a folder; found " +
        settings.vocabulary);
  write_vocabulary_files(transept::read_vocabulary_folder(settings.vocabulary), run);
}

/// Returns how many.
std::uint64_t write_tokens(const transept::tokenizer& tokenizer, std::string_view text,
                           const std::filesystem::path& file, transept::thread_pool& threads) {
  transept::token_file_writer out(file, tokenizer.vocabulary_size());
  progress_bar bar("Tokenizing " + file.stem().string());
  append_text(threads, tokenizer, text, out, transept::special_tokens::allowed,
              [&](std::uint64_t done) { bar.show(done, text.size()); });
  out.commit();
  return out.size();
}

std::string_view text_of(const transept::mapped_file& file) {
  if (file.text().empty()) throw transept::argument_error(file.path().string() + ": the text is empty");
  check_encoding(file.text(), file.path().string());
  return file.text();
}

} // namespace

void prepare_data(const training_settings& settings, const std::filesystem::path& run, int threads) {
  const transept::mapped_file text(settings.text);
  std::optional<transept::mapped_file> validation;
  if (!settings.validation_text.empty()) validation.emplace(settings.validation_text);
  const split_text texts = validation ? split_text{text_of(text), text_of(*validation)}
                                      : split(text_of(text), settings.validation);
  transept::thread_pool pool(threads);
  make_vocabulary(settings, texts, run, pool);
  const auto tokenizer = transept::load_tokenizer(run);
  const auto count = write_tokens(tokenizer, texts.training, run / "training.tokens", pool);
  if (count <= settings.context)
    throw transept::argument_error("--text " + settings.text.string() + ": " + std::to_string(count) +
                                   (count == 1 ? " token is" : " tokens are") + " too few for --context " +
                                   std::to_string(settings.context));
  write_tokens(tokenizer, texts.validation, run / "validation.tokens", pool);
}

training_data open_data(const std::filesystem::path& run) {
  return {transept::load_tokenizer(run), transept::token_file(run / "training.tokens"),
          transept::token_file(run / "validation.tokens")};
}

std::size_t validation_characters(const training_data& data) {
  std::size_t characters = 0;
  std::vector<transept::token_id> ids(4096);
  for (std::size_t first = 1; first < data.validation.size(); first += ids.size()) {
    ids.resize(std::min(ids.size(), data.validation.size() - first));
    data.validation.read(first, ids);
    for (const char byte : data.tokenizer.decode(ids))
      characters += (static_cast<unsigned char>(byte) & 0xc0u) != 0x80u;
  }
  return characters;
}

} // namespace examples
