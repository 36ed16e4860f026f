#include "core/prometheus.h"

#include <gtest/gtest.h>

#include <cmath>

namespace segue {
namespace {

TEST(Prometheus, AFamilyHasItsHelpAndTypeOnceAndItsSamplesBelow) {
  PrometheusText text;
  text.Family("segue_runs", "gauge", "Runs by state.");
  text.Sample(2, {{"state", "approved"}});
  text.Sample(0.5, {{"state", "refused"}, {"kind", "x"}});
  text.One("segue_up", "gauge", "Is it up?", 1);
  EXPECT_EQ(text.text(),
            "# HELP segue_runs Runs by state.\n# TYPE segue_runs gauge\nsegue_runs{state=\"approved\"} 2\n"
            "segue_runs{state=\"refused\",kind=\"x\"} 0.5\n# HELP segue_up Is it up?\n# TYPE segue_up gauge\nsegue_up 1\n");
}

TEST(Prometheus, WhatWouldBreakALineIsEscaped) {
  PrometheusText text;
  text.Family("a", "gauge", "one\ntwo \"x\" \\");
  text.Sample(std::nan(""), {{"l", "a\"b\\c\nd"}});
  text.Sample(INFINITY, {}, "_sum");
  EXPECT_EQ(text.text(), "# HELP a one\\ntwo \"x\" \\\\\n# TYPE a gauge\na{l=\"a\\\"b\\\\c\\nd\"} NaN\na_sum +Inf\n");
}

}  // namespace
}  // namespace segue
