import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseAddress, whyUnreachable } from '../process/address.ts'
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
import type { MemberChange } from './members/change-members.ts'
import { progressOutput } from './progress.ts'

type Flags = ApiFlags & Readonly<{ wait?: boolean }>

const EXIT_CODES_HELP = `
Exit codes:
  0    done; with --no-wait: begun
  1    not done: refused, no connector answers, or too few nodes answer (503); nothing was changed
  2    a flag, an argument or a setting cannot be used
  3    outcome unknown: the change may have begun; see "cohort status" before you repeat it
  130  interrupted with Ctrl-C; the change goes on`

/** Adds `cohort add`: adds a member. */
export function addAddCommand(program: Command, context: Context): void {
  withCommon(
    program
      .command('add')
      .summary('add an empty node to the cluster as a member')
      .description(
        'Adds the node at an address as a member. The node must have an empty data directory. It first copies all ' +
          'groups, and then votes like the others. Clients notice nothing. Only one change of the membership can be under ' +
          'way at a time. A cluster has 3 to 7 members.',
      )
      .addOption(hostOption()),
    `
Examples:
  cohort add --host 10.0.0.4:8001`,
  ).action(({ host, ...flags }: Flags & { host: string }) =>
    run(context, { kind: 'add', address: host }, flags),
  )
}

/** Adds `cohort replace`: replaces a member by another node. */
export function addReplaceCommand(program: Command, context: Context): void {
  withCommon(
    program
      .command('replace')
      .summary('replace a member by an empty node')
      .description(
        'Replaces a member by the node at an address. That node must have an empty data directory. The member may answer ' +
          'or not. It stays a member until the new node has copied all groups. A member that has only lost its disk needs ' +
          'no command: start it again at its address, and the cluster takes it back by itself.',
      )
      .requiredOption(
        '--old <node-id>',
        'the id of the member to replace ("cohort status --json" shows the ids)',
      )
      .addOption(hostOption()),
    `
Examples:
  cohort replace --old 6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753 --host 10.0.0.4:8001`,
  ).action(({ old, host, ...flags }: Flags & { old: string; host: string }) =>
    run(context, { kind: 'replace', nodeId: old, address: host }, flags),
  )
}

/** Adds `cohort remove`: removes a member. */
export function addRemoveCommand(program: Command, context: Context): void {
  withCommon(
    program
      .command('remove')
      .summary('remove a member from the cluster')
      .description(
        'Removes a member, which may answer or not. The node keeps its data, and stops by itself when a connector tells it ' +
          'that it is no longer a member. If the node is still being added, or is replacing another one, that change is ' +
          'taken back.',
      )
      .argument('<node-id>', 'the id of the member ("cohort status --json" shows the ids)'),
    `
Examples:
  cohort remove 6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753`,
  ).action((nodeId: string, flags: Flags) => run(context, { kind: 'remove', nodeId }, flags))
}

function withCommon(command: Command, examples: string): Command {
  return command
    .option('--no-wait', 'end when the change has begun, and not only when it is complete')
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText('after', `${EXIT_CODES_HELP}\n${examples}`)
}

function hostOption(): Option {
  return new Option('--host <address>', 'the new node: the host:port at which the connectors reach it')
    .argParser((text) => {
      const address = parseAddress(text)
      if (address === undefined)
        throw new InvalidArgumentError('Expected host:port, like 10.0.0.4:8001 or [::1]:8001.')
      const why = whyUnreachable(address)
      if (why !== undefined)
        throw new InvalidArgumentError(
          `Expected the address by which the connectors reach the node: this one ${why}.`,
        )
      return address
    })
    .makeOptionMandatory()
}

async function run(context: Context, change: MemberChange, { wait = true, ...flags }: Flags): Promise<void> {
  const access = apiAccess(context, flags)
  const { changeMembers } = await import('./members/change-members.ts')
  const output = progressOutput(context.stdout)
  await runInterruptibly((signal) => changeMembers(change, { ...access, isAwaited: wait, output, signal }))
}
