#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define DAY_SEC 86400

struct now clock_read(void)
{
	struct timespec mono = { 0 }, wall = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct now){
		.mono_ns = (uint64_t)mono.tv_sec * 1000000000u + (uint64_t)mono.tv_nsec,
		.wall_sec = wall.tv_sec,
		.wall_nsec = (uint32_t)wall.tv_nsec,
	};
}

uint64_t clock_precise_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Civil dates by arithmetic on years that begin in March, so that the leap day is a year's last: 146097 days are 400 years.
 * Exact for every year of the proleptic Gregorian calendar that an int64_t of seconds can name.
 */
struct civil {
	int64_t year;
	unsigned int month, day; /* 1.. */
};

static int64_t days_of_civil(struct civil c)
{
	int64_t y = c.month <= 2 ? c.year - 1 : c.year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned int year_of_era = (unsigned int)(y - era * 400);
	unsigned int month = c.month > 2 ? c.month - 3 : c.month + 9;
	unsigned int day_of_year = (153 * month + 2) / 5 + c.day - 1;
	unsigned int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + (int64_t)day_of_era - 719468; /* 719468: from 0000-03-01 to 1970-01-01 */
}

static struct civil civil_of_days(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned int day_of_era = (unsigned int)(z - era * 146097);
	unsigned int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned int month = (5 * day_of_year + 2) / 153;
	struct civil c = {
		.year = (int64_t)year_of_era + era * 400,
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};

	if (c.month <= 2)
		c.year++;
	return c;
}

char *clock_iso(int64_t wall_sec, char buf[32])
{
	int64_t days = wall_sec / DAY_SEC;
	int64_t rest = wall_sec % DAY_SEC;
	struct civil c;

	if (rest < 0) {
		rest += DAY_SEC;
		days--;
	}
	c = civil_of_days(days);
	snprintf(buf, 32, "%04lld-%02u-%02uT%02u:%02u:%02uZ", (long long)c.year, c.month % 100, c.day % 100,
	    (unsigned int)(rest / 3600 % 24), (unsigned int)(rest / 60 % 60), (unsigned int)(rest % 60));
	return buf;
}

/* A cursor over the text of a date; bad is sticky. */
struct date_text {
	const char *at BORROWED_FIELD;
	bool bad;
};

static unsigned int take_digits(struct date_text *t, unsigned int n)
{
	unsigned int v = 0;

	for (unsigned int i = 0; i < n && !t->bad; i++) {
		if (*t->at < '0' || *t->at > '9')
			t->bad = true;
		else
			v = v * 10 + (unsigned int)(*t->at++ - '0');
	}
	return v;
}

static bool take_one_of(struct date_text *t, const char *set)
{
	for (; !t->bad && *set != '\0'; set++) {
		if (*t->at == *set) {
			t->at++;
			return true;
		}
	}
	return false;
}

static void need_one_of(struct date_text *t, const char *set)
{
	if (!take_one_of(t, set))
		t->bad = true;
}

static unsigned int days_in_month(int64_t year, unsigned int month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

struct date_parts {
	struct civil c;
	unsigned int hour, min, sec;
};

static RESULT date_finish(const struct date_text *t, const struct date_parts *d, int64_t *ret_sec)
{
	if (t->bad || *t->at != '\0')
		return FAIL(ERR_FORMAT);
	if (d->c.month < 1 || d->c.month > 12 || d->c.day < 1 || d->c.day > days_in_month(d->c.year, d->c.month) || d->hour > 23 ||
	    d->min > 59 || d->sec > 60) /* 60: a leap second, taken as the first of the next minute */
		return FAIL(ERR_RANGE);
	*ret_sec = days_of_civil(d->c) * DAY_SEC + (int64_t)d->hour * 3600 + (int64_t)d->min * 60 + (int64_t)d->sec;
	return DONE;
}

/* YYYYMMDDHHMMSS */
static RESULT parse_compact(const char *text, int64_t *ret_sec)
{
	struct date_text t = { text, false };
	struct date_parts d;

	d.c.year = take_digits(&t, 4);
	d.c.month = take_digits(&t, 2);
	d.c.day = take_digits(&t, 2);
	d.hour = take_digits(&t, 2);
	d.min = take_digits(&t, 2);
	d.sec = take_digits(&t, 2);
	return date_finish(&t, &d, ret_sec);
}

/* YYYY-MM-DD, and after T or a blank HH:MM, :SS, a fraction that is dropped, and Z. */
static RESULT parse_iso(const char *text, int64_t *ret_sec)
{
	struct date_text t = { text, false };
	struct date_parts d = { .hour = 0 };

	d.c.year = take_digits(&t, 4);
	need_one_of(&t, "-");
	d.c.month = take_digits(&t, 2);
	need_one_of(&t, "-");
	d.c.day = take_digits(&t, 2);
	if (take_one_of(&t, "Tt ")) {
		d.hour = take_digits(&t, 2);
		need_one_of(&t, ":");
		d.min = take_digits(&t, 2);
		if (take_one_of(&t, ":"))
			d.sec = take_digits(&t, 2);
		if (take_one_of(&t, ".")) {
			need_one_of(&t, "0123456789");
			while (take_one_of(&t, "0123456789"))
				;
		}
		need_one_of(&t, "Zz");
	}
	return date_finish(&t, &d, ret_sec);
}

static RESULT parse_seconds(const char *text, int64_t *ret_sec)
{
	int64_t v = 0;

	for (; *text != '\0'; text++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *text - '0', &v))
			return FAIL(ERR_RANGE);
	*ret_sec = v;
	return DONE;
}

RESULT clock_parse(const char *text, int64_t *ret_sec)
{
	size_t digits = 0;

	while (text[digits] >= '0' && text[digits] <= '9')
		digits++;
	if (digits == 0)
		return FAIL(ERR_FORMAT);
	if (text[digits] != '\0')
		return parse_iso(text, ret_sec);
	return digits == 14 ? parse_compact(text, ret_sec) : parse_seconds(text, ret_sec);
}
