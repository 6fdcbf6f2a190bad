import type { Command } from 'commander'
import type { Flags } from '../config/lookup.ts'
import { readUpSettings } from '../config/settings.ts'
import { adminKeyFileOption } from './access-options.ts'
import type { Context } from './context.ts'
import { explainingHost } from './host-from-environment.ts'
import { settingOption } from './setting-options.ts'
import { insecureApiOption } from './tls-options.ts'

/** Adds `cohort up`: runs a local cluster. */
export function addUpCommand(program: Command, { environment, stdout }: Context): void {
  program
    .command('up')
    .summary('run a whole cluster on this machine')
    .description(
      'Runs a whole cluster on this machine, each node and each connector in a process of its own, and prints where ' +
        'the API and its documentation are. A process that dies is started again. Ctrl-C stops all of them.',
    )
    .option('--nodes <count>', '1, or 3 to 7 (default: 3); with --engine postgres, how many servers')
    .option('--connectors <count>', '1 to 16 (default: 1)')
    .option('--port <port>', 'where the first connector listens (PORT; default: 8000)')
    .option(
      '--data-dir <directory>',
      'where the nodes keep their data, a folder for each node (DATA_DIR; default: .cohort)',
    )
    .option('--host <address>', 'the address the connectors listen on (HOST; default: 127.0.0.1)')
    .option(
      '--engine <name>',
      'what keeps the groups: cohort (nodes) or postgres (a primary and standbys) (ENGINE; default: cohort)',
    )
    .option(
      '--database <url>',
      'with --engine postgres: start no servers, and use this database: postgres://user@host1,host2/database, without ' +
        'the password, which the file of PGPASSFILE holds (DATABASE_URL)',
    )
    .option(
      '--synchronous-standbys <count>',
      'with --engine postgres: how many standbys must have applied a change before it is acknowledged ' +
        '(SYNCHRONOUS_STANDBYS; default: 1, or 0 with one server)',
    )
    .addOption(settingOption('timeout'))
    .addOption(settingOption('tombstone-grace'))
    .addOption(settingOption('drain-timeout'))
    .addOption(settingOption('replace-after'))
    .option(
      '--cluster-id <id>',
      'run this cluster and no other, and start no new one (CLUSTER_ID; default: any)',
    )
    .addOption(settingOption('max-connections'))
    .addOption(settingOption('rate-limit'))
    .addOption(settingOption('cors-origins'))
    .addOption(settingOption('audit-log'))
    .addOption(settingOption('log-level'))
    .addOption(adminKeyFileOption())
    .option(
      '--tls',
      'encrypt everything: HTTPS for the API, and mutual TLS between connectors and nodes, with certificates that are ' +
        'made in the data directory and renewed there',
    )
    .addOption(insecureApiOption())
    .addHelpText(
      'after',
      `
The ports, for --port P, N nodes and C connectors: the first connector has P. The nodes have P+1 to P+N, on 127.0.0.1.
Further connectors have P+N+1 to P+N+C-1. The metrics of the nodes have P+N+C to P+2N+C-1.
If the directory has data already, they are used; the number of nodes must then be the same as before.
With --host, where other machines connect, the first start makes an admin key in the data directory, and says where it
is. Without that key nobody can use the API. On 127.0.0.1 every program of this machine can.

With --engine postgres the servers of an installed Postgres take the place of the nodes, and the schema is made. They
are for trying it out: nothing promotes a standby.

Exit codes:
  0  stopped by a signal, and every process has stopped cleanly
  1  could not start, or a process did not stop cleanly: the output says which
  2  a flag or a setting cannot be used

Examples:
  cohort up
  cohort up --nodes 5 --connectors 2 --port 9000 --data-dir /tmp/cohort
  cohort up --engine postgres
  cohort up --engine postgres --database postgres://cohort@db1,db2,db3/cohort`,
    )
    .action(async (flags: Flags) => {
      stdout.becomeLog()
      const settings = readUpSettings(flags, environment)
      const { up } = await import('./up/up.ts')
      process.exitCode = await explainingHost(flags, environment, () => up(settings, stdout))
    })
}
