#include "budget/bytes_text.h"

#include <stdio.h>

/* Three digits that count, and the prefix of a power of 1,000. */
static const char *scaled_text(double value, const char *gap, const char *unit, char *text) {
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P"};
    size_t power = 0;
    while (value >= 999.5 && power < 5) {
        value /= 1000.0;
        power++;
    }
    const int digits = power == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, BYTES_TEXT, "%.*f%s%s%s", digits, value, gap, prefixes[power], unit);
    return text;
}

const char *bytes_text(size_t bytes, char text[BYTES_TEXT]) {
    return scaled_text((double)bytes, " ", "B", text);
}

const char *count_text(double count, char text[BYTES_TEXT]) {
    return scaled_text(count, " ", "", text);
}

const char *seconds_text(double seconds, char text[BYTES_TEXT]) {
    const struct {
        double size, most;
        const char *name;
    } units[] = {
        {1.0, 90.0, "s"}, {60.0, 90.0, "min"}, {3600.0, 48.0, "h"}, {86400.0, 0.0, "days"}};
    size_t i = 0;
    while (i < 3 && seconds / units[i].size >= units[i].most) i++;
    const double value = seconds / units[i].size;
    snprintf(text, BYTES_TEXT, "%.*f %s", value < 9.95 ? 1 : 0, value, units[i].name);
    return text;
}
