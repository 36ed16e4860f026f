#include "page/page.h"

#include <algorithm>

#include "core/check.h"
#include "page/style.h"

namespace segue::page {
namespace {

std::string Element(std::string_view tag, std::string_view attributes, std::string_view content) {
  std::string text = "<" + std::string(tag);
  if (!attributes.empty()) text.append(" ").append(attributes);
  return text.append(">").append(content).append("</").append(tag).append(">");
}

/// A section's anchor: its title in small letters with hyphens.
std::string Anchor(std::string_view title, size_t number) {
  std::string anchor;
  for (const char c : title) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) anchor += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!letter && !anchor.empty() && anchor.back() != '-') anchor += '-';
  }
  return anchor + (anchor.empty() || anchor.back() == '-' ? "" : "-") + std::to_string(number);
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else if (c == '"') out += "&quot;";
    else if (c == '\'') out += "&#39;";
    else if (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') out += "\xef\xbf\xbd";
    else out += c;
  }
  return out;
}

Html Raw(std::string markup) { return {std::move(markup)}; }

Html Paragraph(std::string_view text) { return {Element("p", "", Escaped(text)) + "\n"}; }

Html Warning(std::string_view text) { return {Element("p", "class=\"warning\" role=\"note\"", Escaped(text)) + "\n"}; }

Html SideBySide(std::span<const Html> parts, int least_width) {
  std::string inner;
  for (const Html& part : parts) inner += "<div>" + part.text + "</div>";
  return {"<div class=\"beside\" style=\"--least:" + std::to_string(least_width) + "px\">" + inner + "</div>\n"};
}

Html Folded(std::string_view summary, const Html& part) {
  return {"<details>" + Element("summary", "", Escaped(summary)) + part.text + "</details>\n"};
}

Html Tiles(std::span<const Tile> tiles) {
  std::string inner;
  for (const Tile& tile : tiles) {
    inner += "<div>" + Element("dt", "", Escaped(tile.label)) + Element("dd", "", Escaped(tile.value));
    if (!tile.note.empty()) inner += Element("dd", "class=\"note\"", Escaped(tile.note));
    inner += "</div>";
  }
  return {"<dl class=\"tiles\">" + inner + "</dl>\n"};
}

Html Draw(const Table& table) {
  std::string head, body;
  for (const Column& column : table.columns) {
    std::string attributes = std::string("scope=\"col\"") + (column.number ? " class=\"n\"" : "");
    if (!column.note.empty()) attributes += " title=\"" + Escaped(column.note) + "\"";
    head += Element("th", attributes, Escaped(column.name));
  }
  for (size_t r = 0; r < table.rows.size(); ++r) {
    SEGUE_CHECK(table.rows[r].size() == table.columns.size());
    std::string cells;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const char* number = table.columns[c].number ? "class=\"n\"" : "";
      // The first column says what the row is about.
      cells += c == 0 ? Element("th", std::string("scope=\"row\" ") + number, Escaped(table.rows[r][c]))
                      : Element("td", number, Escaped(table.rows[r][c]));
    }
    body += Element("tr", r < table.strong.size() && table.strong[r] != 0 ? "class=\"strong\"" : "", cells) + "\n";
  }
  std::string caption;
  if (!table.caption.empty()) caption = Element("caption", "", Escaped(table.caption));
  return {"<div class=\"scroll\"><table>" + caption + "<thead><tr>" + head + "</tr></thead><tbody>\n" + body + "</tbody></table></div>\n"};
}

std::string Render(const Page& page) {
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n";
  out += Element("title", "", Escaped(page.title)) + "\n<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n<header>";
  out += Element("h1", "", Escaped(page.title));
  if (!page.subtitle.empty()) out += Element("p", "class=\"lead\"", Escaped(page.subtitle));
  std::string links;
  for (size_t s = 0; s < page.sections.size(); ++s) {
    links += Element("a", "href=\"#" + Anchor(page.sections[s].title, s + 1) + "\"", Escaped(page.sections[s].title));
  }
  if (page.sections.size() > 2) out += Element("nav", "aria-label=\"Sections\"", links);
  out += "</header>\n<main>\n";
  for (size_t s = 0; s < page.sections.size(); ++s) {
    const Section& section = page.sections[s];
    out += "<section id=\"" + Anchor(section.title, s + 1) + "\">" + Element("h2", "", Escaped(section.title)) + "\n";
    if (!section.lead.empty()) out += Element("p", "class=\"lead\"", Escaped(section.lead)) + "\n";
    for (const Html& part : section.parts) out += part.text;
    out += "</section>\n";
  }
  out += "</main>\n";
  if (!page.footer.empty()) out += Element("footer", "", Escaped(page.footer)) + "\n";
  return out + "</body>\n</html>\n";
}

}  // namespace segue::page
