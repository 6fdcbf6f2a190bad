import type { Command } from 'commander'
import type { Flags } from '../config/lookup.ts'
import { readConnectorSettings } from '../config/settings.ts'
import { adminKeyFileOption, clientRolesFileOption, oidcOption } from './access-options.ts'
import type { Context } from './context.ts'
import { explainingHost } from './host-from-environment.ts'
import { settingOption, stopWithParentOption } from './setting-options.ts'
import { stopWithParent } from './stop-with-parent.ts'
import { apiTlsOption, insecureApiOption, nodeTlsOption } from './tls-options.ts'

/** Adds `cohort connector`: runs one connector until it is told to stop. */
export function addConnectorCommand(program: Command, { environment, stdout, hostProcess }: Context): void {
  program
    .command('connector')
    .summary('run one connector: the public API in front of the nodes')
    .description(
      'Runs one connector: the public API in front of the nodes. It stores nothing; run as many as you like. ' +
        'After SIGTERM or Ctrl-C it answers the requests that it has accepted, and then stops.',
    )
    .option('--port <port>', 'where to listen (PORT; default: 8000)')
    .option('--hosts <list>', 'the nodes, 1 or 3 to 7, as host:port separated by commas (HOSTS)')
    .option(
      '--engine <name>',
      'what keeps the groups: cohort (the nodes) or postgres (ENGINE; default: cohort)',
    )
    .option(
      '--database <url>',
      'with --engine postgres: postgres://user@host1,host2/database, without the password, which the file of ' +
        'PGPASSFILE holds (DATABASE_URL)',
    )
    .option(
      '--synchronous-standbys <count>',
      'with --engine postgres: how many standbys must have applied a change before it is acknowledged, 0 to 100 ' +
        '(SYNCHRONOUS_STANDBYS; default: 1)',
    )
    .addOption(settingOption('timeout'))
    .addOption(settingOption('tombstone-grace'))
    .addOption(settingOption('drain-timeout'))
    .addOption(settingOption('replace-after'))
    .option(
      '--cluster-id <id>',
      'serve this cluster and no other, and start no new one (CLUSTER_ID; default: any)',
    )
    .option('--host <address>', 'the address to listen on (HOST; default: 127.0.0.1)')
    .addOption(settingOption('max-connections'))
    .addOption(settingOption('rate-limit'))
    .addOption(settingOption('cors-origins'))
    .addOption(settingOption('audit-log'))
    .addOption(settingOption('log-level'))
    .addOption(nodeTlsOption('cert'))
    .addOption(nodeTlsOption('key'))
    .addOption(nodeTlsOption('ca'))
    .addOption(apiTlsOption('cert'))
    .addOption(apiTlsOption('key'))
    .addOption(apiTlsOption('client-ca'))
    .addOption(insecureApiOption())
    .addOption(adminKeyFileOption())
    .addOption(oidcOption('issuer'))
    .addOption(oidcOption('audience'))
    .addOption(oidcOption('algorithms'))
    .addOption(oidcOption('role-claim'))
    .addOption(oidcOption('roles'))
    .addOption(clientRolesFileOption())
    .addOption(stopWithParentOption())
    .addHelpText(
      'after',
      `
A flag wins over its environment variable, which wins over the same name in the file .env of the working directory.

Examples:
  cohort connector --port 8000 --hosts 127.0.0.1:8001,127.0.0.1:8002,127.0.0.1:8003
  HOSTS='http://node1:8001 http://node2:8001 http://node3:8001' TIMEOUT=1.5 cohort connector --host 0.0.0.0 --admin-key-file admin.hash
  cohort connector --engine postgres --database 'postgres://cohort@db1,db2,db3/cohort'

Exit codes:
  0  stopped by a signal
  1  could not start: the last line says why
  2  a flag or a setting cannot be used`,
    )
    .action(async ({ stopWithParent: isChild, ...flags }: Flags & { stopWithParent?: boolean }) => {
      stdout.becomeLog()
      const settings = readConnectorSettings(flags, environment)
      if (isChild) stopWithParent(settings.drainTimeoutMs)
      const { runConnector } = await import('../connector/main.ts')
      await explainingHost(flags, environment, () => runConnector(settings, hostProcess))
    })
}
