import type { Command } from 'commander'
import { type ApiFlags, apiAccess } from './api-access.ts'
import type { Context } from './context.ts'
import {
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'
import { runInterruptibly } from './interruptible.ts'
import { progressOutput } from './progress.ts'

type RestoreFlags = ApiFlags & Readonly<{ in: string; resume?: boolean; check?: boolean }>

/** Adds `cohort restore`: writes the groups of a backup into an empty cluster. */
export function addRestoreCommand(program: Command, context: Context): void {
  program
    .command('restore')
    .summary('write the groups of a backup into an empty cluster')
    .description(
      'Writes all groups of a file of "cohort backup" into a cluster that holds no group. The groups keep their ' +
        'versions, ETags and times. A file that is damaged or cut off, or that goes on after its end, is refused ' +
        'before anything is written.',
    )
    .requiredOption('--in <file>', 'the file of the backup')
    .option('--resume', 'continue a restore that was interrupted: the cluster may hold groups of this file')
    .option('--check', 'only check the file; no cluster is needed')
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0    all groups of the file are in the cluster, as they are in the file
  1    the file or the cluster was refused and nothing was written; or some groups could not be restored: the output says which
  2    a flag or a setting cannot be used
  130  interrupted with Ctrl-C; what was done so far is printed, and --resume continues

Examples:
  cohort restore --in groups-2026-01-15.jsonl
  cohort restore --in groups-2026-01-15.jsonl --resume
  cohort restore --in groups-2026-01-15.jsonl --check`,
    )
    .action(async ({ in: path, resume = false, check = false, ...flags }: RestoreFlags) => {
      const access = apiAccess(context, flags)
      const { restore } = await import('./backup/restore.ts')
      const output = progressOutput(context.stdout)
      await runInterruptibly((signal) =>
        restore({ path, ...access, isResumed: resume, isCheckOnly: check, output, signal }),
      )
    })
}
