import type { Command } from 'commander'
import { apiAccess } from './api-access.ts'
import type { Context } from './context.ts'
import { EXIT, UNPRINTED_HELP } from './exit-codes.ts'
import { toFailure } from './group-command.ts'
import {
  type ApiOptions,
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  groupIdArgument,
  jsonOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'
import { replicaLines } from './status/replica-lines.ts'
import { painter } from './status/table.ts'

/** Adds `cohort replicas`: what each node holds for a group. */
export function addReplicasCommand(program: Command, context: Context): void {
  program
    .command('replicas')
    .summary('show what each node holds for a group, and whether the nodes agree')
    .description(
      'Asks each node separately what it holds for a group, and says whether the nodes agree. It repairs nothing. The ' +
        'group may be deleted, or may never have existed.',
    )
    .addArgument(groupIdArgument())
    .addOption(jsonOption())
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  every node answered, and all hold the same state
  1  not known: no connector answers, or the connector has not found its cluster
  2  a flag, an argument or a setting cannot be used
  4  the nodes differ, or some did not answer
  7  ${UNPRINTED_HELP}

Examples:
  cohort replicas team-a
  cohort replicas team-a --json`,
    )
    .action(async (groupId: string, { json = false, ...flags }: ApiOptions) => {
      const { stdout } = context
      const access = apiAccess(context, flags)
      const { url } = access
      const { ApiClient } = await import('./api-client.ts')
      const client = new ApiClient(access)
      try {
        const reply = await client.replicas(groupId)
        if (reply.kind !== 'answered') throw toFailure(reply, url)
        const lines = json ? [reply.text] : replicaLines(reply.value, painter(stdout.hasColours))
        stdout.answer(`${lines.join('\n')}\n`)
        process.exitCode = reply.value.agree ? EXIT.ok : EXIT.degraded
      } finally {
        await client.close()
      }
    })
}
