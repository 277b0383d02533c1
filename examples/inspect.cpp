// What is in a model's folder or GGUF file: its tensors, as the files hold them, and the model's table of
// parameters.
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

#include <common/model_list.hpp>
#include <common/program.hpp>
#include <common/table.hpp>
#include <common/terminal.hpp>

#include <transept/core/json.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/describe_model.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/model_files.hpp>

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

/// A tensor that the model needs, and where it was found.
struct parameter_row {
  transept::file_tensor expected;
  transept::found_parameter found;
};

struct folder_report {
  transept::model_description model;
  std::vector<tensor_row> tensors;
  std::vector<parameter_row> parameters;
  std::uint64_t total_parameters = 0, total_bytes = 0, ignored_bytes = 0;
  bool sound = false; ///< the files hold all that the model needs
};

std::string why_ignored(const stored_tensor& tensor, const transept::model_description& model) {
  if (tensor.name.ends_with(".attn.bias") || tensor.name.ends_with(".attn.masked_bias") ||
      tensor.name.ends_with(".attention.bias") || tensor.name.ends_with(".attention.masked_bias"))
    return "a mask, which is computed";
  if (tensor.name.ends_with(".inv_freq")) return "frequencies, which are computed";
  for (const transept::tensor_names& each : model.names.tensors) {
    if (each.here != "output" || !model.is_tied) continue;
    const std::string table = find_names(model.names, "tokens.weight")->gguf.data();
    if (tensor.name == std::string(each.gguf) + ".weight") return "tied: a copy of " + table + ".weight";
    if (tensor.name == std::string(each.huggingface) + ".weight")
      return "tied: " + huggingface_name(model.names, "tokens.weight") + " is used";
  }
  return model.family + " has no such parameter";
}

folder_report read_folder(const transept::model_files& files, const transept::checkpoint& weights) {
  folder_report report;
  report.model = describe_model(examples::all_kinds{}, files);
  std::set<const stored_tensor*> used;
  report.sound = true;
  report.total_parameters = report.model.parameter_count();
  for (const transept::file_tensor& expected : report.model.tensors) {
    auto found = find_parameter(weights, report.model.names, expected);
    used.insert(found.tensor);
    report.sound = report.sound && found.problem.empty();
    report.parameters.push_back({expected, std::move(found)});
  }
  for (const stored_tensor& tensor : weights.tensors()) {
    const bool ignored = !used.contains(&tensor);
    report.tensors.push_back({&tensor, ignored ? why_ignored(tensor, report.model) : ""});
    report.total_bytes += tensor.bytes.size();
    if (ignored) report.ignored_bytes += tensor.bytes.size();
  }
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
  std::uint64_t in_block = 0, blocks = 1;
  for (const auto& [expected, found] : report.parameters)
    if (const auto block = transept::detail::parse_name(expected.name).block; !block.empty())
      blocks = std::max<std::uint64_t>(blocks, std::stoull(block) + 1);
  bool block_closed = false;
  const auto close_block = [&] {
    const std::uint64_t all = in_block * blocks;
    rows.push_back({});
    rows.push_back({"one block", "", grouped(in_block)});
    rows.push_back({"x " + std::to_string(blocks) + " blocks", "", "", grouped(all)});
    rows.push_back({});
    block_closed = true;
  };
  for (const auto& [expected, found] : report.parameters) {
    const auto parsed = transept::detail::parse_name(expected.name);
    const bool in_a_block = !parsed.block.empty();
    if (in_a_block && parsed.block != "0") continue;
    if (in_a_block && in_block == 0) rows.push_back({});
    if (!in_a_block && in_block != 0 && !block_closed) close_block();
    rows.push_back({parsed.stem + parsed.suffix, times(expected.shape), grouped(expected.count()),
                    in_a_block ? "" : grouped(expected.count())});
    if (in_a_block) in_block += expected.count();
  }
  if (in_block != 0 && !block_closed) close_block();
  rows.push_back({});
  rows.push_back({"all parameters", "", "", grouped(report.total_parameters)});
  out << "Parameters of the model\n\n";
  print_table(out, rows, {1, 2, 3});
  out << "\n";
}

void print_model(std::ostream& out, const folder_report& report) {
  const auto& model = report.model;
  const auto& shape = model.shape;
  out << "Model\n\n  " << model.family << ", " << shape.n_layer << " layers, width " << shape.n_embd << ", "
      << shape.n_head << " heads of " << shape.head_width;
  if (shape.n_key_value_head != shape.n_head) out << " (" << shape.n_key_value_head << " of keys and values)";
  out << ", feed-forward " << shape.n_inner << ",\n  " << grouped(shape.vocab_size) << " tokens, context "
      << shape.n_positions << ", " << name_of(model.activation) << ", ";
  if (model.head.empty())
    out << "output " << (model.is_tied ? "tied" : "not tied") << " to the embedding\n";
  else
    out << "head " << model.head << "\n";
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
  json config = json::parse(report.model.config);
  config.erase("torch_dtype"); // each tensor says its own
  return json{{"folder", folder.string()},
              {"config", std::move(config)},
              {"family", report.model.family},
              {"declaration", report.model.declaration},
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
      print_model(std::cout, report);
    }
    check(common.model, report);
  });
}
