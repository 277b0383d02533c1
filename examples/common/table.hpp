// Tables of text, and numbers and names for them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>

namespace examples {

/// Rows of cells in columns as wide as their widest cell; columns named in `right` are aligned to the right.
inline void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows,
                        const std::set<std::size_t>& right) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - row[i].size(), ' ');
      line += "  " + (right.contains(i) ? gap + row[i] : row[i] + gap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

/// A name from a file, safe to print.
inline std::string shown(std::string_view name) {
  const std::string text = transept::quoted(name);
  return text.size() == name.size() + 2 ? std::string(name) : text;
}

} // namespace examples
