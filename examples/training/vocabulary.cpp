// The vocabulary of a run (training/data.hpp).
#include <training/data.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <common/progress.hpp>
#include <common/terminal.hpp>
#include <common/tokenizer.hpp>
#include <training/task.hpp>

#include <transept/core/error.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/text/encoder_vocabulary.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/train/train_tokenizer.hpp>

namespace examples {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// What a run has learned, with what an encoder needs.
void write_learned(const training_settings& settings, transept::vocabulary vocabulary,
                   const std::filesystem::path& run) {
  if (!is_of_encoder(settings)) return write_vocabulary_files(vocabulary, run);
  put_around_texts(vocabulary);
  write_vocabulary_files(vocabulary, run);
  transept::write_text(
      run / "tokenizer_config.json",
      "{\"tokenizer_class\": \"PreTrainedTokenizerFast\", \"bos_token\": \"<s>\", \"eos_token\": "
      "\"</s>\",\n \"cls_token\": \"<s>\", \"sep_token\": \"</s>\", \"unk_token\": \"<unk>\",\n "
      "\"pad_token\": \"<pad>\", \"mask_token\": \"<mask>\", "
      "\"clean_up_tokenization_spaces\": false}\n");
}

} // namespace

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
    if (is_of_encoder(settings)) special = transept::encoder_special_tokens();
    for (const std::string_view text : {texts.training, texts.validation})
      if (special.empty() && text.find(transept::tokenizer::end_of_text_text) != text.npos)
        special = {std::string(transept::tokenizer::end_of_text_text)};
    for (const std::string_view text : {texts.training, texts.validation})
      collect_characters(threads, text, characters, special);
    return write_learned(settings, character_vocabulary(characters, special), run);
  }
  if (is_number(settings.vocabulary)) {
    if (settings.vocabulary.size() > 9)
      throw transept::argument_error("--vocabulary: " + settings.vocabulary + " tokens are too many");
    transept::bpe_options options;
    options.vocab_size = static_cast<std::size_t>(std::stoul(settings.vocabulary));
    progress_bar bar("Learning a vocabulary");
    options.progress = [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); };
    if (is_of_encoder(settings)) options.special_tokens = transept::encoder_special_tokens();
    transept::word_counts words;
    count_words(threads, texts.training, words,
                options.special_tokens); // what validation has is not known yet
    try {
      return write_learned(settings, learn_vocabulary(words, options), run);
    } catch (const transept::argument_error& error) {
      throw transept::argument_error("--vocabulary " + settings.vocabulary + ": " + error.what());
    }
  }
  if (!std::filesystem::is_directory(settings.vocabulary))
    throw transept::argument_error(
        "--vocabulary: expected the word characters, a number of tokens, or a folder; found " +
        settings.vocabulary);
  if (!is_of_encoder(settings))
    return write_vocabulary_files(transept::read_vocabulary_folder(settings.vocabulary), run);
  (void)open_tokenizer(settings.vocabulary);
  transept::copy_vocabulary_files(settings.vocabulary, run);
}

void check_vocabulary(const training_settings& s, const transept::tokenizer& tokenizer,
                      std::size_t vocab_size) {
  const std::size_t tokens = tokenizer.vocabulary_size();
  if (tokens > vocab_size && !s.vocabulary.empty())
    throw transept::argument_error("--vocabulary " + s.vocabulary + ": " + std::to_string(tokens) +
                                   " tokens; the model of " + s.from.string() + " has " +
                                   std::to_string(vocab_size));
}

transept::token_id mask_of(const transept::tokenizer& tokenizer, const std::string& option) {
  if (const auto mask = mask_token(tokenizer)) return *mask;
  throw transept::argument_error(option + ": the vocabulary has no token that masks a word ([MASK], <mask>)");
}

transept::token_id padding_token(const transept::tokenizer& tokenizer) {
  const auto padding = find_special_token(tokenizer, "[PAD]");
  return padding ? *padding : find_special_token(tokenizer, "<pad>").value_or(0);
}

} // namespace examples
