// What is in a model's folder or GGUF file: its tensors, as the files hold them, and the model's table of
// parameters. Works for any GPT-2, also for one whose shape is not compiled into these programs.
//
//   inspect --model gpt2
//   inspect --model gpt2 --json | jq .total_parameters
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <common/any_model.hpp>
#include <common/program.hpp>
#include <common/table.hpp>
#include <common/terminal.hpp>

#include <transept/core/json.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/parameter_table.hpp>

namespace {

using examples::grouped;
using examples::print_table;
using examples::shown;
using transept::stored_tensor;

/// A tensor of the folder, and what the model makes of it.
struct tensor_row {
  const stored_tensor* tensor;
  std::string ignored_because; // empty: the model uses it
};

/// A parameter of the model, and where it was found.
struct parameter_row {
  transept::expected_parameter expected;
  transept::found_parameter found;
};

struct folder_report {
  transept::huggingface_config config;
  std::vector<tensor_row> tensors;
  std::vector<parameter_row> parameters;
  std::uint64_t total_parameters = 0, total_bytes = 0, ignored_bytes = 0;
  bool compiled = false;
};

std::string why_ignored(const stored_tensor& tensor, const transept::huggingface_config& config) {
  if (tensor.name.ends_with(".attn.bias") || tensor.name.ends_with(".attn.masked_bias"))
    return "a mask, which is computed";
  if (tensor.name == "output.weight" && config.tie_word_embeddings)
    return "tied: a copy of token_embd.weight";
  if (tensor.name == "lm_head.weight" && config.tie_word_embeddings) return "tied: wte.weight is used";
  return "GPT-2 has no such parameter";
}

/// Whether these programs have a model of this shape. Throws what else opening it throws.
bool is_compiled(const std::filesystem::path& folder) {
  try {
    examples::open_model(folder);
    return true;
  } catch (const transept::shape_error&) {
    return false; // the tensors themselves were checked before
  }
}

folder_report read_folder(const transept::model_files& files, const transept::checkpoint& weights) {
  folder_report report;
  report.config = files.config();
  std::set<const stored_tensor*> used;
  bool sound = true;
  for (auto& expected : transept::expected_parameters(report.config)) {
    report.total_parameters += expected.count();
    auto found = find_parameter(weights, expected.name, expected.shape);
    used.insert(found.tensor);
    sound = sound && found.problem.empty();
    report.parameters.push_back({std::move(expected), std::move(found)});
  }
  for (const stored_tensor& tensor : weights.tensors()) {
    const bool ignored = !used.contains(&tensor);
    report.tensors.push_back({&tensor, ignored ? why_ignored(tensor, report.config) : ""});
    report.total_bytes += tensor.bytes.size();
    if (ignored) report.ignored_bytes += tensor.bytes.size();
  }
  report.compiled = sound && is_compiled(files.path());
  return report;
}

std::string times(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t extent : shape) text += (text.empty() ? "" : " x ") + grouped(extent);
  return text;
}

void print_tensors(std::ostream& out, const folder_report& report) {
  std::vector<std::vector<std::string>> rows{{"tensor", "type", "shape", "bytes", ""}};
  for (const auto& [tensor, ignored_because] : report.tensors) {
    rows.push_back({shown(tensor->name), tensor->dtype, transept::shape_text(tensor->shape),
                    grouped(tensor->bytes.size()),
                    ignored_because.empty() ? "" : "ignored: " + ignored_because});
  }
  out << "Tensors in the files\n\n";
  print_table(out, rows, {3});
  out << "\n  " << report.tensors.size() << " tensors, " << grouped(report.total_bytes) << " bytes";
  if (report.ignored_bytes > 0) out << ", of which " << grouped(report.ignored_bytes) << " are ignored";
  out << "\n\n";
}

/// One block stands for all: they are equal.
void print_parameters(std::ostream& out, const folder_report& report) {
  std::vector<std::vector<std::string>> rows{{"parameter", "dimensions", "parameters", "total"}};
  std::uint64_t in_block = 0;
  bool block_closed = false;
  const auto close_block = [&] {
    const std::uint64_t all = in_block * static_cast<std::uint64_t>(report.config.n_layer);
    rows.push_back({});
    rows.push_back({"one block", "", grouped(in_block)});
    rows.push_back({"x " + std::to_string(report.config.n_layer) + " blocks", "", "", grouped(all)});
    rows.push_back({});
    block_closed = true;
  };
  for (const auto& [expected, found] : report.parameters) {
    const bool in_a_block = expected.name.starts_with("h.");
    if (in_a_block && !expected.name.starts_with("h.0.")) continue;
    if (in_a_block && in_block == 0) rows.push_back({});
    if (!in_a_block && in_block != 0 && !block_closed) close_block();
    const std::string name = in_a_block ? "h.*." + expected.name.substr(4) : expected.name;
    rows.push_back({name, times(expected.shape), grouped(expected.count()),
                    in_a_block ? "" : grouped(expected.count())});
    if (in_a_block) in_block += expected.count();
  }
  rows.push_back({});
  rows.push_back({"all parameters", "", "", grouped(report.total_parameters)});
  out << "Parameters of the model\n\n";
  print_table(out, rows, {1, 2, 3});
  out << "\n";
}

void print_model(std::ostream& out, const std::filesystem::path& folder, const folder_report& report) {
  const auto& config = report.config;
  out << "Model\n\n  GPT-2, " << config.n_layer << " layers, width " << config.n_embd << ", " << config.n_head
      << " heads of " << config.head_width << ", feed-forward " << config.n_inner << ",\n  "
      << grouped(static_cast<std::uint64_t>(config.vocab_size)) << " tokens, context " << config.n_positions
      << ", " << name_of(config.activation_function) << ", output "
      << (config.tie_word_embeddings ? "tied" : "not tied") << " to the embedding\n";
  if (report.compiled) return;
  out << "\n  Its shape is not compiled into these programs. Declare it in your own program as\n    "
      << transept::to_declaration(config, "my_model") << "\n";
  if (transept::is_gguf(folder)) return;
  out << "  or build these with\n    -DTRANSEPT_EXAMPLE_CONFIG="
      << std::filesystem::absolute(folder / "config.json").lexically_normal().string() << "\n";
}

transept::json to_json(const std::filesystem::path& folder, const folder_report& report) {
  using transept::json;
  json tensors = json::array(), parameters = json::array();
  for (const auto& [tensor, ignored_because] : report.tensors) {
    json row{{"name", tensor->name},   {"dtype", tensor->dtype},
             {"shape", tensor->shape}, {"bytes", tensor->bytes.size()},
             {"file", tensor->source}, {"ignored", !ignored_because.empty()}};
    if (!ignored_because.empty()) row["reason"] = ignored_because;
    tensors.push_back(std::move(row));
  }
  for (const auto& [expected, found] : report.parameters) {
    json row{{"name", expected.name}, {"shape", expected.shape}, {"count", expected.count()}};
    row["tensor"] = found.tensor ? json(found.name) : json();
    row["dtype"] = found.tensor ? json(found.tensor->dtype) : json();
    if (!found.problem.empty()) row["problem"] = found.problem;
    parameters.push_back(std::move(row));
  }
  json config = json::parse(transept::to_json(report.config));
  config.erase("torch_dtype"); // each tensor says its own
  return json{{"folder", folder.string()},
              {"config", std::move(config)},
              {"compiled", report.compiled},
              {"declaration", transept::to_declaration(report.config, "my_model")},
              {"tensors", std::move(tensors)},
              {"total_bytes", report.total_bytes},
              {"ignored_bytes", report.ignored_bytes},
              {"parameters", std::move(parameters)},
              {"total_parameters", report.total_parameters}};
}

/// The first parameter that the files do not hold as the model needs it ends the program with an error, after
/// the tables.
void check(const std::filesystem::path& folder, const folder_report& report) {
  std::string message;
  std::size_t count = 0;
  for (const auto& [expected, found] : report.parameters) {
    if (found.problem.empty() || ++count > 10) continue;
    message += (message.empty() ? "" : "\n  ") + found.name + ": " + found.problem;
    if (count == 1 && !found.advice.empty()) message += "\n    " + found.advice;
  }
  if (count > 10) message += "\n  … and " + std::to_string(count - 10) + " more";
  if (count > 0) throw transept::shape_error(folder.string() + ": " + message);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Lists the tensors in a model's folder or GGUF file and the parameters of the model",
               "inspect");
  examples::common_options common;
  bool as_json = false;
  common.add_to(app);
  app.add_flag("--json", as_json, "One JSON object instead of tables");

  return examples::run_program(app, argc, argv, [&] {
    const auto weights = transept::checkpoint::open(common.model);
    const auto files = transept::model_files::open(common.model);
    const folder_report report = read_folder(files, weights);
    if (as_json) {
      using handler = transept::json::error_handler_t;
      std::cout << to_json(common.model, report).dump(2, ' ', false, handler::replace) << "\n";
    } else {
      print_tensors(std::cout, report);
      print_parameters(std::cout, report);
      print_model(std::cout, common.model, report);
    }
    check(common.model, report);
  });
}
