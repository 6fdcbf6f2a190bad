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

type BackupFlags = ApiFlags & Readonly<{ out: string; force?: boolean; skipUnreadable?: boolean }>

/** Adds `cohort backup`: writes all groups of a running cluster into a file. */
export function addBackupCommand(program: Command, context: Context): void {
  program
    .command('backup')
    .summary('write all groups of a running cluster into a file')
    .description(
      'Reads all groups through the API while the cluster serves, and writes them into one file of JSON lines with ' +
        'checksums. "cohort restore" reads that file. Each group is as it was at some moment during the backup. ' +
        'The file appears only when the backup is complete.',
    )
    .requiredOption('--out <file>', 'the file to write; - for stdout')
    .option('--force', 'replace the file if it exists')
    .option('--skip-unreadable', 'leave out groups that cannot be read, and name them')
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0    the backup is complete
  1    no backup was made, and there is no file: no connector answers, too few nodes answer, a group cannot be read, or the file cannot be written
  2    a flag or a setting cannot be used
  130  interrupted with Ctrl-C; there is no file

Examples:
  cohort backup --out groups-2026-01-15.jsonl
  cohort backup --out - --url http://10.0.0.1:8000 | gzip > groups.jsonl.gz`,
    )
    .action(async ({ out, force = false, skipUnreadable = false, ...flags }: BackupFlags) => {
      const { stdout, stderr } = context
      const access = apiAccess(context, flags)
      const { backup } = await import('./backup/backup.ts')
      const { openBackupSink } = await import('./backup/backup-sink.ts')
      const output = progressOutput(out === '-' ? stderr : stdout)
      await runInterruptibly(async (signal) => {
        const sink = await openBackupSink(out, { isForced: force, stdout, signal })
        return backup({ ...access, sink, output, now: () => new Date(), skipUnreadable, signal })
      })
    })
}
