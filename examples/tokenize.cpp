// Text to token ids, and back.
#include <common/ids.hpp>
#include <common/program.hpp>

#include <transept/io/load_tokenizer.hpp>

namespace {

using namespace examples;

void run(const common_options& common, bool decode, bool allow_special) {
  const transept::tokenizer tokenizer = transept::load_tokenizer(common.model);
  const std::string input = read_all("-");
  if (decode) {
    std::cout << tokenizer.decode(parse_ids(input, "standard input"));
  } else {
    const auto special =
        allow_special ? transept::special_tokens::allowed : transept::special_tokens::as_text;
    std::cout << join_ids(tokenizer.encode(input, special)) << '\n';
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("", "tokenize");
  app.description(
      "Reads text (any bytes, all of them: also a last line feed) from standard input and prints its\n"
      "token ids on one line, with commas between; --decode does the reverse, byte for byte. The\n"
      "model's folder needs only the vocabulary.");
  app.footer("  printf 'Hello world' | tokenize\n  printf 'Hello world' | tokenize | tokenize --decode");
  common_options common;
  bool decode = false, allow_special = false;
  app.add_flag("--decode", decode, "Read ids, print the bytes they stand for");
  app.add_flag("--allow-special", allow_special,
               "Take the text of special tokens, such as <|endoftext|>, for those tokens");
  common.add_to(app);
  return run_program(app, argc, argv, [&] { run(common, decode, allow_special); });
}
