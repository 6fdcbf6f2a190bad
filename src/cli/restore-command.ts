import type { Command } from 'commander'
import { readEnvironment } from '../config/environment.ts'
import { readUrl } from '../config/settings.ts'
import { progressOutput } from './generate/progress.ts'
import { urlOption } from './group-options.ts'
import { interruptSignal } from './interrupt-signal.ts'

type RestoreFlags = Readonly<{ in: string; url?: string; resume?: boolean; check?: boolean }>

/** Adds `cohort restore`: brings the groups of a backup into an empty cluster. */
export function addRestoreCommand(program: Command): void {
  program
    .command('restore')
    .summary('bring the groups of a backup into an empty cluster')
    .description(
      'Brings all groups of a file of "cohort backup" back as they were, with their versions, ETags and times, into a ' +
        'cluster that holds no group. A file that is damaged or cut off is refused before anything is written.',
    )
    .requiredOption('--in <file>', 'the file')
    .option('--resume', 'go on with a restore that was interrupted: groups of this file may be there')
    .option('--check', 'only check the file; no cluster is needed')
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0    all groups of the file are in the cluster, as they are in the file
  1    the file or the cluster was refused, and nothing was written; or not all could be restored: what was printed says which
  2    a flag or a setting cannot be used
  130  interrupted with Ctrl-C; what was done so far is printed, and --resume goes on

Examples:
  cohort restore --in groups-2026-01-15.jsonl
  cohort restore --in groups-2026-01-15.jsonl --resume
  cohort restore --in groups-2026-01-15.jsonl --check`,
    )
    .action(async (flags: RestoreFlags) => {
      const url = readUrl(flags.url, readEnvironment())
      const { restore } = await import('./backup/restore.ts')
      const { signal, forget } = interruptSignal()
      const exitCode = await restore({
        path: flags.in,
        url,
        isResumed: flags.resume ?? false,
        isCheckOnly: flags.check ?? false,
        output: progressOutput(process.stdout),
        signal,
      })
      forget()
      process.exitCode = exitCode
    })
}
