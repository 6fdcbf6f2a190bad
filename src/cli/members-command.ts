import { type Command, InvalidArgumentError, Option } from 'commander'
import { readUrl } from '../config/settings.ts'
import { parseAddress, whyUnreachable } from '../process/address.ts'
import type { Context } from './context.ts'
import { urlOption } from './group-options.ts'
import { runInterruptibly } from './interruptible.ts'
import type { MemberChange } from './members/change-members.ts'
import { progressOutput } from './progress.ts'

type Flags = Readonly<{ url?: string; wait?: boolean }>

const EXIT_CODES_HELP = `
Exit codes:
  0    done; with --no-wait: begun
  1    not done: refused, no connector, or (503) not enough nodes; nothing was changed
  2    a flag, an argument or a setting cannot be used
  3    outcome unknown: it may have been begun; look with "cohort status" before you repeat it
  130  no longer waited for, after Ctrl-C; the change goes on`

/** Adds `cohort add`: one more member. */
export function addAddCommand(program: Command, context: Context): void {
  withCommon(
    program
      .command('add')
      .summary('make an empty node one more member of the cluster')
      .description(
        'Makes the node at an address, which must have an empty data directory, one more member. The node copies ' +
          'everything, and then decides with the others. Clients notice nothing of it. One change of the membership at ' +
          'a time; 3 to 7 members.',
      )
      .addOption(hostOption()),
    `
Examples:
  cohort add --host 10.0.0.4:8001`,
  ).action(({ host, ...flags }: Flags & { host: string }) =>
    run(context, { kind: 'add', address: host }, flags),
  )
}

/** Adds `cohort replace`: another node in the place of a member. */
export function addReplaceCommand(program: Command, context: Context): void {
  withCommon(
    program
      .command('replace')
      .summary('put an empty node in the place of a member')
      .description(
        'Puts the node at an address, which must have an empty data directory, in the place of a member, whether that ' +
          'member still answers or not. The new node copies everything before the old one is let go. A member that has ' +
          'merely lost its disk needs no command: started again at its address, it is replaced by itself.',
      )
      .requiredOption(
        '--old <node-id>',
        'the member that goes, by its id ("cohort status --json" shows them)',
      )
      .addOption(hostOption()),
    `
Examples:
  cohort replace --old 6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753 --host 10.0.0.4:8001`,
  ).action(({ old, host, ...flags }: Flags & { old: string; host: string }) =>
    run(context, { kind: 'replace', nodeId: old, address: host }, flags),
  )
}

/** Adds `cohort remove`: one member less. */
export function addRemoveCommand(program: Command, context: Context): void {
  withCommon(
    program
      .command('remove')
      .summary('take a member out of the cluster')
      .description(
        'Takes a member out, whether it still answers or not. It keeps its data, and stops by itself when it is told. If ' +
          'the node is still being added, or is taking the place of another one, that change is taken back.',
      )
      .argument('<node-id>', 'the member, by its id ("cohort status --json" shows them)'),
    `
Examples:
  cohort remove 6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753`,
  ).action((nodeId: string, flags: Flags) => run(context, { kind: 'remove', nodeId }, flags))
}

function withCommon(command: Command, examples: string): Command {
  return command
    .option('--no-wait', 'end as soon as the change is begun, not when it is done')
    .addOption(urlOption())
    .addHelpText('after', `${EXIT_CODES_HELP}\n${examples}`)
}

function hostOption(): Option {
  return new Option('--host <address>', 'the new node, as host:port as the connectors reach it')
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

async function run(
  { environment, stdout }: Context,
  change: MemberChange,
  { url: urlFlag, wait = true }: Flags,
): Promise<void> {
  const url = readUrl(urlFlag, environment)
  const { changeMembers } = await import('./members/change-members.ts')
  const output = progressOutput(stdout)
  await runInterruptibly((signal) => changeMembers(change, { url, isAwaited: wait, output, signal }))
}
