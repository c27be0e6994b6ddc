/** Days as `2026-11-23`, and how a month of them is laid out. It knows no time of day, no zone and no page. */

const DAY_MS = 86_400_000;
const FIRST = '0001-01-01';
const LAST = '9999-12-31';

/** The day of a date as JSON has it, or nothing. */
export function dayOf(value: unknown): string {
  const found = typeof value === 'string' ? /^(\d{4}-\d{2}-\d{2})(?![\d-])/.exec(value) : null;
  return found?.[1] && !Number.isNaN(Date.parse(found[1])) ? found[1] : '';
}

/** At midnight UTC, for `Intl`. */
export function dateOf(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function written(date: Date): string {
  const day = date.toISOString();
  // Years beyond four digits are written with a sign.
  return day.startsWith('+') ? LAST : day.startsWith('-') || day < FIRST ? FIRST : day.slice(0, 10);
}

export function today(): string {
  const now = new Date();
  return written(new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())));
}

export function daysLater(day: string, days: number): string {
  return written(new Date(dateOf(day).getTime() + days * DAY_MS));
}

/** The same day of another month, or that month's last. */
export function monthsLater(day: string, months: number): string {
  const date = dateOf(day);
  const to = new Date(date);
  to.setUTCDate(1);
  to.setUTCMonth(date.getUTCMonth() + months);
  const days = new Date(to);
  days.setUTCMonth(to.getUTCMonth() + 1, 0);
  to.setUTCDate(Math.min(date.getUTCDate(), days.getUTCDate()));
  return written(to);
}

/** The nearest day within the bounds; an empty bound is none. */
export function within(day: string, min: string, max: string): string {
  return min && day < min ? min : max && day > max ? max : day;
}

/** How far a day is from the first of its week: 0 to 6. @param first day of the week, 1 (Monday) to 7. */
export function weekday(day: string, first: number): number {
  return (dateOf(day).getUTCDay() + 7 - (first % 7)) % 7;
}

/** The weeks of a day's month, each of seven days; the first and the last have days of its neighbours. */
export function weeksOf(day: string, first: number): readonly (readonly string[])[] {
  const begin = `${day.slice(0, 8)}01`;
  const start = dateOf(begin).getTime() - weekday(begin, first) * DAY_MS;
  const end = dateOf(monthsLater(begin, 1)).getTime();
  const weeks: string[][] = [];
  for (let at = start; at < end && weeks.length < 6; at += 7 * DAY_MS) {
    weeks.push([0, 1, 2, 3, 4, 5, 6].map(day => written(new Date(at + day * DAY_MS))));
  }
  return weeks;
}

/** The first day of the week where the person is, 1 (Monday) to 7; Monday where the browser does not know. */
export function firstOfWeek(locale: string | undefined): number {
  const known = new Intl.Locale(locale ?? navigator.language ?? 'en') as Intl.Locale & {
    getWeekInfo?(): { firstDay: number };
    weekInfo?: { firstDay: number };
  };
  return (known.getWeekInfo?.() ?? known.weekInfo)?.firstDay ?? 1;
}
