import { describe, expect, it } from 'vitest';
import { dayOf, daysLater, monthsLater, weekday, weeksOf, within } from '../src/panel/widgets/calendar';
import { placeOf } from '../src/panel/widgets/popup';

describe('a popup', () => {
  const page = { width: 800, height: 600 };
  const popup = { width: 200, height: 100 };
  const anchor = { left: 300, top: 250, right: 400, bottom: 280 };

  it.each([
    ['top', 'start', { left: 300, top: 146 }],
    ['bottom', 'start', { left: 300, top: 284 }],
    ['bottom', 'center', { left: 250, top: 284 }],
    ['bottom', 'end', { left: 200, top: 284 }],
    ['left', 'start', { left: 96, top: 250 }],
    ['left', 'end', { left: 96, top: 180 }],
    ['right', 'center', { left: 404, top: 215 }]
  ] as const)('stands at the %s, aligned at the %s', (side, align, place) => {
    expect(placeOf(anchor, popup, page, side, align)).toEqual(place);
  });

  it.each([
    ['top', { ...anchor, top: 20, bottom: 50 }, { left: 300, top: 54 }],
    ['bottom', { ...anchor, top: 550, bottom: 580 }, { left: 300, top: 446 }],
    ['left', { ...anchor, left: 20, right: 120 }, { left: 124, top: 250 }],
    ['right', { ...anchor, left: 650, right: 750 }, { left: 446, top: 250 }]
  ] as const)('goes where there is room when there is none at the %s', (side, at, place) => {
    expect(placeOf(at, popup, page, side, 'start')).toEqual(place);
  });

  it('stays in the page', () => {
    expect(placeOf({ ...anchor, left: 700, right: 790 }, popup, page, 'bottom', 'start')).toEqual({ left: 592, top: 284 });
    expect(placeOf({ left: 10, top: 10, right: 290, bottom: 40 }, { width: 400, height: 900 }, { width: 300, height: 300 }, 'left', 'end')).toEqual({ left: 8, top: 8 });
  });
});

describe('a calendar', () => {
  it('goes by days and months', () => {
    expect(daysLater('2026-12-31', 1)).toBe('2027-01-01');
    expect(daysLater('2024-03-01', -1)).toBe('2024-02-29');
    expect(monthsLater('2027-01-31', 1)).toBe('2027-02-28');
    expect(monthsLater('2027-01-31', -2)).toBe('2026-11-30');
    expect(monthsLater('2024-02-29', 12)).toBe('2025-02-28');
    expect([daysLater('9999-12-31', 40), monthsLater('0001-01-01', -12)]).toEqual(['9999-12-31', '0001-01-01']);
  });

  it('begins its weeks where they begin for the person', () => {
    // The 1st of November 2026 is a Sunday.
    expect([weekday('2026-11-01', 1), weekday('2026-11-01', 7), weekday('2026-11-01', 6)]).toEqual([6, 0, 1]);
    const monday = weeksOf('2026-11-23', 1);
    expect([monday[0]?.[0], monday.at(-1)?.[6], monday.length]).toEqual(['2026-10-26', '2026-12-06', 6]);
    const sunday = weeksOf('2026-11-23', 7);
    expect([sunday[0]?.[0], sunday.at(-1)?.[6], sunday.length]).toEqual(['2026-11-01', '2026-12-05', 5]);
    expect(weeksOf('2027-02-10', 1)).toHaveLength(4);
  });

  it('keeps to its bounds, and reads no day where there is none', () => {
    expect([within('2026-01-01', '2026-02-01', ''), within('2026-03-01', '', '2026-02-01'), within('2026-03-01', '', '')]).toEqual(['2026-02-01', '2026-02-01', '2026-03-01']);
    expect(['2026-11-23T10:00:00Z', '2026-13-01', 'soon', 7, null].map(dayOf)).toEqual(['2026-11-23', '', '', '', '']);
  });
});
