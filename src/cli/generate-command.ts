import type { Command } from 'commander'
import type { Flags } from '../config/lookup.ts'
import { SettingError } from '../config/setting-error.ts'
import { readCount, readHostsFlag } from '../config/settings.ts'
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
import { nodeConnector } from './node-connector.ts'
import { progressOutput } from './progress.ts'
import { nodeTlsOption } from './tls-options.ts'

type GenerateFlags = ApiFlags &
  Readonly<{ amount?: string; members?: string; concurrency?: string; batch?: string; hosts?: string }> &
  Pick<Flags, 'nodeTlsCertFile' | 'nodeTlsKeyFile' | 'nodeTlsCaFile'>

/** So that what the run remembers of its members stays below 100 MB. */
const MEMBERS_MAX = 10_000_000

/** Adds `cohort generate`: creates many groups and verifies them on every node. */
export function addGenerateCommand(program: Command, context: Context): void {
  program
    .command('generate')
    .summary('create many groups, and verify them on every node')
    .description(
      'Creates groups with random ids through the API. Then asks every node directly, without the connector, whether ' +
        'it holds each group in the version that was created, and each member that was added.',
    )
    .option('-a, --amount <count>', 'how many groups, 1 to 1,000,000 (default: 1000)')
    .option(
      '--members <count>',
      'how many members each group gets, 1 to 1,000,000, and at most 10,000,000 in all (default: none)',
    )
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .option('--concurrency <count>', 'how many requests at a time, 1 to 1,024 (default: 64; with --batch: 4)')
    .option(
      '--batch <count>',
      'how many groups each request creates, and how many members it adds, 1 to 1,000 (default: one group, without ' +
        'a batch; 100 members)',
    )
    .option(
      '--hosts <list>',
      'the nodes to ask, as host:port separated by commas (default: the members of the cluster)',
    )
    .addOption(nodeTlsOption('cert'))
    .addOption(nodeTlsOption('key'))
    .addOption(nodeTlsOption('ca'))
    .addHelpText(
      'after',
      `
Exit codes:
  0    all groups and members were made, and each was found on a quorum of nodes
  1    some groups or members were not made or not found on a quorum; or no connector answers
  2    a flag or a setting cannot be used
  130  interrupted with Ctrl-C; what was done so far is printed

Examples:
  cohort generate
  cohort generate --amount 50000 --concurrency 128
  cohort generate --amount 1000000 --batch 500
  cohort generate --amount 1000 --members 100
  cohort generate --url http://127.0.0.1:9000`,
    )
    .action(async (flags: GenerateFlags) => {
      const access = apiAccess(context, flags)
      const amount = readCount('--amount', flags.amount, { default: 1_000, min: 1, max: 1_000_000 })
      const membersEach =
        flags.members === undefined
          ? 0
          : readCount('--members', flags.members, { default: 1, min: 1, max: 1_000_000 })
      if (amount * membersEach > MEMBERS_MAX) {
        throw new SettingError(
          `--amount times --members must be at most ${MEMBERS_MAX}, got ${amount * membersEach}`,
        )
      }
      const batchSize =
        flags.batch === undefined
          ? undefined
          : readCount('--batch', flags.batch, { default: 1, min: 1, max: 1_000 })
      const concurrency = readCount('--concurrency', flags.concurrency, {
        default: batchSize === undefined ? 64 : 4,
        min: 1,
        max: 1_024,
      })
      const hosts = flags.hosts === undefined ? undefined : readHostsFlag('--hosts', flags.hosts)
      const { generate } = await import('./generate/generate.ts')
      const connect = await nodeConnector(flags, context.environment)
      const output = progressOutput(context.stdout)
      await runInterruptibly((signal) =>
        generate({ amount, membersEach, ...access, concurrency, batchSize, hosts, connect, signal, output }),
      )
    })
}
