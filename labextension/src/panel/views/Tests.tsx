/** A test report: failures first, opened; the rest folded away. */
import type { TestCase, TestReport } from '../../messages.gen';
import { duration } from '../wording';
import { Icon, type IconName } from './Icon';
import { Terminal } from './Outputs';
import { memo } from './memo';

/** So many failures are opened; the others are a click away. */
const OPENED = 3;

const OUTCOME: Record<TestCase['outcome'], { word: string; icon: IconName; tone: string }> = {
  passed: { word: 'Passed', icon: 'check', tone: 'ok' },
  failed: { word: 'Failed', icon: 'cross', tone: 'error' },
  error: { word: 'Error', icon: 'alert', tone: 'error' },
  skipped: { word: 'Skipped', icon: 'minus', tone: 'muted' },
  xfailed: { word: 'Failed as expected', icon: 'minus', tone: 'muted' },
  xpassed: { word: 'Passed unexpectedly', icon: 'alert', tone: 'warning' }
};

function Outcome({ outcome }: { outcome: TestCase['outcome'] }) {
  const { word, icon, tone } = OUTCOME[outcome];
  return (
    <span class={`vk-outcome vk-tone-${tone}`}>
      <Icon name={icon} /> {word}
    </span>
  );
}

/** The test's own name; its file stands beside it. */
function shortName(test: TestCase): string {
  const cut = test.id.indexOf('::');
  return cut < 0 ? test.id : test.id.slice(cut + 2).replaceAll('::', ' › ');
}

function place(test: TestCase): string {
  return test.file && test.line > 0 ? `${test.file}:${test.line}` : test.file;
}

function Failure({ test, open }: { test: TestCase; open: boolean }) {
  return (
    <li>
      <details open={open} class="vk-failure">
        <summary>
          <Outcome outcome={test.outcome} />
          <span class="vk-test-name">{shortName(test)}</span>
          <span class="vk-place">{place(test)}</span>
        </summary>
        {test.message && <p class="vk-test-message">{test.message}</p>}
        {test.detail && <Terminal text={test.detail} label={`Report of ${shortName(test)}`} />}
      </details>
    </li>
  );
}

function Count({ number, word, tone }: { number: number; word: string; tone: string }) {
  return number > 0 ? (
    <span class={`vk-count vk-tone-${tone}`}>
      <b>{number}</b> {word}
    </span>
  ) : null;
}

export const Tests = memo(function Tests({ report }: { report: TestReport }) {
  const failures = report.cases.filter(test => test.outcome === 'failed' || test.outcome === 'error');
  const others = report.cases.filter(test => !failures.includes(test));
  const total = report.passed + report.failed + report.errors + report.skipped;
  return (
    <div class="vk-tests">
      <p class="vk-counts">
        <Count number={report.failed} word="failed" tone="error" />
        <Count number={report.errors} word={report.errors === 1 ? 'error' : 'errors'} tone="error" />
        <Count number={report.passed} word="passed" tone="ok" />
        <Count number={report.skipped} word="skipped" tone="muted" />
        {total === 0 && <span class="vk-count">No tests ran</span>}
        <span class="vk-count vk-tone-muted">in {duration(report.duration_s)}</span>
      </p>
      {failures.length > 0 && (
        <ul class="vk-failures" aria-label="Failures">
          {failures.map((test, index) => (
            <Failure key={test.id} test={test} open={index < OPENED} />
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <details class="vk-fold">
          <summary>
            <Icon name="chevron" /> {failures.length > 0 ? 'The other tests' : 'All tests'} ({others.length})
          </summary>
          <div class="vk-table-box" tabIndex={0} role="group" aria-label="Tests">
            <table>
              <thead>
                <tr>
                  <th scope="col">Outcome</th>
                  <th scope="col">Test</th>
                  <th scope="col">Time</th>
                </tr>
              </thead>
              <tbody>
                {others.map(test => (
                  <tr key={test.id}>
                    <td>
                      <Outcome outcome={test.outcome} />
                    </td>
                    <td title={test.id}>{shortName(test)}</td>
                    <td>{duration(test.duration_s)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </div>
  );
});
