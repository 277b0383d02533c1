// For scripts/check_tokenizer.py: each line of standard input is a text in hexadecimal; prints its token ids,
// separated by commas, one line each. Fails where decoding does not give the text back.
#include <charconv>
#include <iostream>
#include <string>

#include <transept/core/error.hpp>
#include <transept/io/load_tokenizer.hpp>

namespace {

std::string from_hexadecimal(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

} // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: tokenize_lines FOLDER\n";
    return 1;
  }
  try {
    const transept::tokenizer tokenizer = transept::load_tokenizer(arguments[1]);
    for (std::string line; std::getline(std::cin, line);) {
      const std::string text = from_hexadecimal(line);
      const auto tokens = tokenizer.encode(text);
      if (tokenizer.decode(tokens) != text) {
        std::cerr << "decoding does not give back " << line << "\n";
        return 1;
      }
      for (std::size_t i = 0; i < tokens.size(); ++i) std::cout << (i == 0 ? "" : ",") << tokens[i];
      std::cout << "\n";
    }
  } catch (const transept::error& problem) {
    std::cerr << problem.what() << "\n";
    return 1;
  }
}
