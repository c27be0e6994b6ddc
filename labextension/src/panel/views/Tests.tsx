/** A test report: failures first, opened; the rest folded away. */
import type { TestCase, TestReport } from '../../messages.gen';
import { duration } from '../wording';
import { Icon, type IconName } from './Icon';
import { HERE, type Translator, around } from '../translation';
import { Terminal } from './Outputs';
import { usePanel } from './context';
import { memo } from './memo';

/** So many failures are opened; the others are a click away. */
const OPENED = 3;

const OUTCOME: Record<TestCase['outcome'], { icon: IconName; tone: string }> = {
  passed: { icon: 'check', tone: 'ok' },
  failed: { icon: 'cross', tone: 'error' },
  error: { icon: 'alert', tone: 'error' },
  skipped: { icon: 'minus', tone: 'muted' },
  xfailed: { icon: 'minus', tone: 'muted' },
  xpassed: { icon: 'alert', tone: 'warning' }
};

function outcomeWord(outcome: TestCase['outcome'], trans: Translator): string {
  switch (outcome) {
    case 'passed':
      return trans.__('Passed');
    case 'failed':
      return trans.__('Failed');
    case 'error':
      return trans.__('Error');
    case 'skipped':
      return trans.__('Skipped');
    case 'xfailed':
      return trans.__('Failed as expected');
    case 'xpassed':
      return trans.__('Passed unexpectedly');
  }
}

function Outcome({ outcome }: { outcome: TestCase['outcome'] }) {
  const { trans } = usePanel();
  const { icon, tone } = OUTCOME[outcome];
  return (
    <span class={`vk-outcome vk-tone-${tone}`}>
      <Icon name={icon} /> {outcomeWord(outcome, trans)}
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
  const { trans } = usePanel();
  return (
    <li>
      <details open={open} class="vk-failure">
        <summary>
          <Outcome outcome={test.outcome} />
          <span class="vk-test-name">{shortName(test)}</span>
          <span class="vk-test-place">{place(test)}</span>
        </summary>
        {test.message && <p class="vk-test-message">{test.message}</p>}
        {test.detail && <Terminal text={test.detail} label={trans.__('Report of %1', shortName(test))} />}
      </details>
    </li>
  );
}

/** A number of tests in a text that has `HERE` where it stands. */
function Count({ number, text, tone }: { number: number; text: string; tone: string }) {
  const [before, after] = around(text);
  return number > 0 ? (
    <span class={`vk-count vk-tone-${tone}`}>
      {before}
      <b>{number}</b>
      {after}
    </span>
  ) : null;
}

export const Tests = memo(function Tests({ report }: { report: TestReport }) {
  const { trans } = usePanel();
  const failures = report.cases.filter(test => test.outcome === 'failed' || test.outcome === 'error');
  const others = report.cases.filter(test => !failures.includes(test));
  const total = report.passed + report.failed + report.errors + report.skipped;
  return (
    <div class="vk-tests">
      <p class="vk-counts">
        <Count number={report.failed} text={trans.__('%1 failed', HERE)} tone="error" />
        <Count number={report.errors} text={trans._n('%2 error', '%2 errors', report.errors, HERE)} tone="error" />
        <Count number={report.passed} text={trans.__('%1 passed', HERE)} tone="ok" />
        <Count number={report.skipped} text={trans.__('%1 skipped', HERE)} tone="muted" />
        {total === 0 && <span class="vk-count">{trans.__('No tests ran')}</span>}
        <span class="vk-count vk-tone-muted">{trans.__('in %1', duration(report.duration_s, trans))}</span>
      </p>
      {failures.length > 0 && (
        <ul class="vk-failures" aria-label={trans.__('Failures')}>
          {failures.map((test, index) => (
            <Failure key={test.id} test={test} open={index < OPENED} />
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <details class="vk-fold">
          <summary>
            <Icon name="chevron" />{' '}
            {failures.length > 0
              ? trans.__('The other tests (%1)', others.length)
              : trans.__('All tests (%1)', others.length)}
          </summary>
          <div class="vk-table-box" tabIndex={0} role="group" aria-label={trans.__('Tests')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{trans.__('Outcome')}</th>
                  <th scope="col">{trans.__('Test')}</th>
                  <th scope="col">{trans.__('Time')}</th>
                </tr>
              </thead>
              <tbody>
                {others.map(test => (
                  <tr key={test.id}>
                    <td>
                      <Outcome outcome={test.outcome} />
                    </td>
                    <td title={test.id}>{shortName(test)}</td>
                    <td>{duration(test.duration_s, trans)}</td>
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
