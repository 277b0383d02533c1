#include <training/data.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <common/terminal.hpp>
#include <common/texts.hpp>
#include <common/tokenizer.hpp>
#include <training/task.hpp>

#include <transept/io/load_tokenizer.hpp>
#include <transept/train/train_tokenizer.hpp>

namespace examples {
namespace {

/// The last `share` of the text, cut between two characters, is for validation.
split_text split(std::string_view text, double share) {
  auto at = static_cast<std::size_t>(static_cast<double>(text.size()) * (1 - share));
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u) ++at;
  return {text.substr(0, at), text.substr(at)};
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
  transept::thread_pool pool(threads);
  if (is_labelled(settings)) return prepare_labelled_data(settings, run, pool);
  const transept::mapped_file text(settings.text);
  std::optional<transept::mapped_file> validation;
  if (!settings.validation_text.empty()) validation.emplace(settings.validation_text);
  const split_text texts = validation ? split_text{text_of(text), text_of(*validation)}
                                      : split(text_of(text), settings.validation);
  make_vocabulary(settings, texts, run, pool);
  const auto tokenizer = transept::load_tokenizer(run);
  const auto count = write_tokens(tokenizer, texts.training, run / "training.tokens", pool);
  if (count <= settings.context)
    throw transept::argument_error("--text " + settings.text.string() + ": " + std::to_string(count) +
                                   (count == 1 ? " token is" : " tokens are") + " too few for --context " +
                                   std::to_string(settings.context));
  write_tokens(tokenizer, texts.validation, run / "validation.tokens", pool);
}

text_data open_text_data(const std::filesystem::path& run) {
  return {transept::load_tokenizer(run), transept::token_file(run / "training.tokens"),
          transept::token_file(run / "validation.tokens")};
}

std::string in_words(const text_data& data) {
  return grouped(data.training.size()) + " tokens to learn from, " + grouped(data.validation.size()) +
         " to check with, of a vocabulary of " + grouped(data.tokenizer.vocabulary_size());
}

std::size_t validation_characters(const text_data& data) {
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
