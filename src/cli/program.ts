import { Command } from 'commander'
import { VERSION } from '../process/version.ts'
import type { Context } from './context.ts'

type AddCommand = (program: Command, context: Context) => void

/** Loads what adds each command to the program. In the order of the help text. */
const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map(
  Object.entries({
    up: async () => (await import('./up-command.ts')).addUpCommand,
    status: async () => (await import('./status-command.ts')).addStatusCommand,
    generate: async () => (await import('./generate-command.ts')).addGenerateCommand,
    verify: async () => (await import('./verify-command.ts')).addVerifyCommand,
    node: async () => (await import('./node-command.ts')).addNodeCommand,
    connector: async () => (await import('./connector-command.ts')).addConnectorCommand,
    postgres: async () => (await import('./postgres-command.ts')).addPostgresCommand,
    add: async () => (await import('./members-command.ts')).addAddCommand,
    replace: async () => (await import('./members-command.ts')).addReplaceCommand,
    remove: async () => (await import('./members-command.ts')).addRemoveCommand,
    list: async () => (await import('./list-command.ts')).addListCommand,
    watch: async () => (await import('./watch-command.ts')).addWatchCommand,
    get: async () => (await import('./get-command.ts')).addGetCommand,
    create: async () => (await import('./create-command.ts')).addCreateCommand,
    update: async () => (await import('./update-command.ts')).addUpdateCommand,
    delete: async () => (await import('./delete-command.ts')).addDeleteCommand,
    members: async () => (await import('./group-member-command.ts')).addMembersCommand,
    member: async () => (await import('./group-member-command.ts')).addMemberCommand,
    'groups-of': async () => (await import('./group-member-command.ts')).addGroupsOfCommand,
    replicas: async () => (await import('./replicas-command.ts')).addReplicasCommand,
    backup: async () => (await import('./backup-command.ts')).addBackupCommand,
    restore: async () => (await import('./restore-command.ts')).addRestoreCommand,
    key: async () => (await import('./key-command.ts')).addKeyCommand,
    login: async () => (await import('./login-command.ts')).addLoginCommand,
    logout: async () => (await import('./login-command.ts')).addLogoutCommand,
    certs: async () => (await import('./certs-command.ts')).addCertsCommand,
  }),
)

/** The names of all commands. */
export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()]

/**
 * Runs the program `cohort`. It prints with `context` only. What ends a command, help too, is thrown
 * (`failure.ts`).
 *
 * @param args what follows the name of the program
 */
export async function runProgram(context: Context, args: readonly string[]): Promise<void> {
  const program = newProgram(context)
  // To load all other commands too would cost a third of the CPU of a small command. Only the help of the
  // program, and the answer to a command that does not exist, name them.
  const load = COMMANDS.get(args[0] ?? '')
  // Commands inherit the settings of the program.
  for (const add of load === undefined ? await allCommands() : [await load()]) add(program, context)
  await program.parseAsync(args, { from: 'user' })
}

function allCommands(): Promise<AddCommand[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()))
}

function newProgram({ stdout, stderr }: Context): Command {
  return new Command('cohort')
    .description(
      'A replicated group registry: one public API keeps every group identical on independent nodes.',
    )
    .version(VERSION)
    .exitOverride()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => stdout.answer(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'cohort: ')),
    })
    .addHelpText(
      'after',
      `
Examples:
  cohort up                           three nodes and a connector on this machine
  cohort status --watch               the state of the cluster, and the reason
  cohort generate                     a thousand groups, verified on every node
  cohort verify --seconds 600         is the cluster linearizable, also while parts of it fail?
  cohort create team-a --label env=prod
  cohort get team-a --json
  cohort member add team-a alice      alice is a member of team-a
  cohort list --labels team=core      groups, as a table; --json for pipes
  cohort watch --initial              each change of a group, as it happens
  cohort backup --out groups.jsonl    all groups, in one file

"cohort COMMAND --help" describes a command.`,
    )
}
