import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { readEnvironment } from '../config/environment.ts'
import { readUrl } from '../config/settings.ts'
import { type ApiOptions, jsonOption, urlOption } from './group-options.ts'
import { interruptSignal } from './interrupt-signal.ts'

const WATCH_MS = 1_000

/** Adds `cohort status`: how the cluster is. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .summary('how the cluster is: a verdict, the reason, and every node')
    .description(
      'Shows how the cluster is, as one connector sees it: healthy, degraded (all is served, but something is not as it ' +
        'should be) or unavailable, the reason in a sentence, and a line for every node.',
    )
    .option('--watch', 'show it anew each second, until Ctrl-C')
    .addOption(jsonOption())
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0    healthy
  1    not known: no connector answers
  2    a flag or a setting cannot be used
  4    degraded
  5    unavailable
  130  --watch was ended with Ctrl-C

Examples:
  cohort status
  cohort status --watch
  cohort status --json --url http://127.0.0.1:9000`,
    )
    .action(async ({ watch = false, json = false, url: urlFlag }: ApiOptions & { watch?: boolean }) => {
      const url = readUrl(urlFlag, readEnvironment())
      const { showStatus, watchStatus } = await import('./status/status.ts')
      const { stdout } = process
      const output = { write: (text: string) => void stdout.write(text), isTerminal: stdout.isTTY === true }
      const options = { url, isJson: json, output }
      if (!watch) {
        process.exitCode = await showStatus(options)
        return
      }
      if (output.isTerminal && !json) output.write('\u001b[2J')
      const { signal, forget } = interruptSignal()
      process.exitCode = await watchStatus({
        ...options,
        signal,
        pause: (ended) => sleep(WATCH_MS, undefined, { signal: ended }).catch(() => undefined),
        clockTime: () => `${new Date().toLocaleTimeString('en-GB')}, every second; Ctrl-C ends it`,
      })
      forget()
    })
}
