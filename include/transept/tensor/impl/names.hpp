// How a parameter's name becomes those of files (tensor/names.hpp).
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION parsed_name parse_name(std::string_view name) {
  parsed_name parsed;
  if (const std::size_t dot = name.rfind('.'); dot != name.npos) {
    parsed.suffix = name.substr(dot);
    name = name.substr(0, dot);
  }
  // The number is the first part that is one, as to_string writes it: two names never mean the same block.
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    int number = 0;
    const auto result = std::from_chars(part.data(), part.data() + part.size(), number);
    if (!part.empty() && result.ec == std::errc{} && number >= 0 && std::to_string(number) == part) {
      parsed.block = part;
      parsed.stem = std::string(name.substr(0, begin)) + "*" + std::string(name.substr(end));
      return parsed;
    }
    begin = end + 1;
  }
  parsed.stem = name;
  return parsed;
}

TRANSEPT_FUNCTION std::string in_block(std::string pattern, const std::string& block,
                                       std::size_t blocks_of_group) {
  const std::size_t first = pattern.find('*');
  if (first == pattern.npos) return pattern;
  if (const std::size_t second = pattern.find('*', first + 1); second != pattern.npos) {
    const std::size_t number = std::stoul(block);
    pattern.replace(second, 1, std::to_string(number % blocks_of_group));
    return pattern.replace(first, 1, std::to_string(number / blocks_of_group));
  }
  return pattern.replace(first, 1, block);
}

TRANSEPT_FUNCTION std::string huggingface_pattern(const model_names& names, const tensor_names& line) {
  if (!line.huggingface.starts_with('.')) return std::string(line.huggingface);
  return std::string(names.prefix) + std::string(line.huggingface.substr(1));
}

} // namespace detail

TRANSEPT_FUNCTION std::vector<std::string> without_braces(std::string_view pattern, std::size_t heads) {
  const std::size_t open = pattern.find('{'), close = pattern.find('}');
  if (open == pattern.npos || close == pattern.npos) return {std::string(pattern)};
  std::vector<std::string> names;
  const auto add = [&](std::string_view inside) {
    names.push_back(std::string(pattern.substr(0, open)) + std::string(inside) +
                    std::string(pattern.substr(close + 1)));
  };
  if (close == open + 1)
    for (std::size_t head = 0; head < heads; ++head) add(std::to_string(head));
  else
    for (std::size_t begin = open + 1; begin <= close;) {
      const std::size_t end = std::min(pattern.find(',', begin), close);
      add(pattern.substr(begin, end - begin));
      begin = end + 1;
    }
  return names;
}

TRANSEPT_FUNCTION const tensor_names* find_names(const model_names& names, std::string_view here) {
  const std::string stem = detail::parse_name(here).stem;
  for (const tensor_names& each : names.tensors)
    if (each.here == stem) return &each;
  return nullptr;
}

TRANSEPT_FUNCTION std::string huggingface_name(const model_names& names, std::string_view here) {
  const tensor_names* const found = find_names(names, here);
  if (found == nullptr) return std::string(here);
  const auto parsed = detail::parse_name(here);
  return detail::in_block(detail::huggingface_pattern(names, *found), parsed.block, names.blocks_of_group) +
         parsed.suffix;
}

} // namespace transept::inline TRANSEPT_ABI
