#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Self-contained reports: one HTML file, no script, nothing fetched. Light and
/// dark as the reader's system is, light on paper. All texts that a caller gives
/// are plain text and are escaped here. Same input, same bytes. Pure functions.
///
///   Page page{.title = "Hits", .subtitle = "41,106 songs"};
///   page.sections.push_back({"What makes a hit", "Hits minus flops.", {Tiles(tiles), Draw(dots)}});
///   file << Render(page);
namespace segue::page {

/// A piece of a page, escaped already. Made by the functions below and by
/// page/charts.h; only Raw takes markup as it is.
struct Html {
  std::string text;
};
/// `<`, `>`, `&`, `"` and `'` as entities, what XML 1.0 forbids as U+FFFD.
std::string Escaped(std::string_view text);
Html Raw(std::string markup);

Html Paragraph(std::string_view text);
/// A box that catches the eye: something the reader must know before he believes a figure.
Html Warning(std::string_view text);
/// Pieces beside each other, as many as fit; `least_width` in pixels each.
Html SideBySide(std::span<const Html> parts, int least_width = 300);
/// Folded away until the reader opens it; open on paper.
Html Folded(std::string_view summary, const Html& part);

/// A figure in large type with what it is.
struct Tile {
  std::string label;
  std::string value;
  std::string note;  ///< "" none
};
Html Tiles(std::span<const Tile> tiles);

struct Column {
  std::string name;
  bool number = true;  ///< right-aligned, digits of one width
  std::string note;    ///< shown when pointed at; "" none
};
struct Table {
  std::string caption;  ///< "" none
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  ///< [rows][columns] (CHECK); "" is an empty cell
  std::vector<uint8_t> strong;                 ///< [rows] set off from the others; empty: none
};
Html Draw(const Table& table);

struct Section {
  std::string title;
  std::string lead;  ///< a sentence or two below the title; "" none
  std::vector<Html> parts;
};
struct Page {
  std::string title;
  std::string subtitle;
  std::vector<Section> sections;
  std::string footer;  ///< how it was made; "" none
};
/// The whole document.
std::string Render(const Page& page);

}  // namespace segue::page
