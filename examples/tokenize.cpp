// Text to token ids, and back; or to a token file, for training.
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <common/ids.hpp>
#include <common/interruption.hpp>
#include <common/program.hpp>
#include <common/terminal.hpp>
#include <common/texts.hpp>
#include <common/tokenizer.hpp>

#include <transept/train/train_tokenizer.hpp>

namespace {

using namespace examples;

struct settings {
  common_options common;
  std::vector<std::filesystem::path> files;
  std::filesystem::path out;
  bool decode = false, allow_special = false;

  transept::special_tokens special() const {
    return allow_special ? transept::special_tokens::allowed : transept::special_tokens::as_text;
  }
};

void write_token_file(const settings& chosen, const transept::tokenizer& tokenizer) {
  const input_texts texts(chosen.files);
  transept::thread_pool threads(chosen.common.threads);
  watch_interruptions();
  transept::token_file_writer file(chosen.out, tokenizer.vocabulary_size());
  texts.for_each("Tokenizing", [&](std::string_view text, const auto& progress) {
    append_text(threads, tokenizer, text, file, chosen.special(), progress);
  });
  file.commit();
  std::cout << chosen.out.string() << ": " << grouped(file.size()) << " tokens of a vocabulary of "
            << grouped(tokenizer.vocabulary_size()) << ", from " << grouped(texts.bytes()) << " bytes\n";
}

void run(const settings& chosen) {
  const transept::tokenizer tokenizer = examples::open_tokenizer(chosen.common.model);
  if (!chosen.out.empty()) return write_token_file(chosen, tokenizer);
  const std::vector<std::filesystem::path> files =
      chosen.files.empty() ? std::vector<std::filesystem::path>{"-"} : chosen.files;
  std::vector<transept::token_id> ids;
  for (const auto& path : files) {
    const std::string input = read_all(path);
    if (examples::is_utf16(input)) // bytes of any kind have tokens
      examples::print_note((path == "-" ? "standard input" : path.string()) + examples::no_utf8);
    const auto more = chosen.decode
                          ? parse_ids(input, path == "-" ? std::string("standard input") : path.string())
                          : tokenizer.encode(input, chosen.special());
    ids.insert(ids.end(), more.begin(), more.end());
  }
  if (chosen.decode) {
    for (const transept::token_id id : ids) (void)tokenizer.bytes(id); // throws where no token has it
    std::cout << tokenizer.decode(ids);
  } else {
    std::cout << join_ids(ids) << '\n';
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("", "tokenize");
  app.description(
      "Reads text (any bytes, all of them: also a last line feed) from files or standard input and prints\n"
      "its token ids on one line, with commas between, or writes them as a token file; --decode does the\n"
      "reverse of printing, byte for byte. The model's folder needs only the vocabulary.");
  app.footer("  printf 'Hello world' | tokenize\n"
             "  printf 'Hello world' | tokenize | tokenize --decode\n"
             "  tokenize shakespeare.txt --out shakespeare.tokens");
  settings chosen;
  app.add_option("FILE", chosen.files, "Texts, one after the other; none, or -: standard input")
      ->type_name("");
  auto* const out =
      app.add_option("--out", chosen.out, "Write a token file; the texts may be larger than memory")
          ->type_name("FILE");
  app.add_flag("--decode", chosen.decode, "Read ids, print the bytes they stand for")->excludes(out);
  app.add_flag("--allow-special", chosen.allow_special,
               "Take the text of special tokens, such as <|endoftext|>, for those tokens");
  chosen.common.add_to(app);
  return run_program(app, argc, argv, [&] { run(chosen); });
}
