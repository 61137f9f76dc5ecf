/** Import rules of the design: who may know whom. `npm run lint:imports` fails on any breach. */
module.exports = {
  forbidden: [
    {
      name: 'core-knows-no-platform',
      comment: 'core imports nothing of ours outside core: platforms are data handed to it.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^src/(?!core/)' },
    },
    {
      name: 'platform-imports-contract-only',
      comment: 'A platform module sees the connector contract, the model and the error table. Nothing else.',
      severity: 'error',
      from: { path: '^src/platforms/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(platforms/$1/|core/(connector|model|errors)/)' },
    },
    {
      name: 'simulator-imports-kit-only',
      comment: 'Shared code would be shared mistakes: a simulator meets the platform module over HTTP alone.',
      severity: 'error',
      from: { path: '^src/simulators/([^/]+)/' },
      to: { path: '^src/', pathNot: '^src/simulators/($1|kit)/' },
    },
    {
      name: 'edges-use-core',
      comment:
        'server, cli and mcp are thin: they reach platforms and simulators only through what the composition root hands them.',
      severity: 'error',
      from: { path: '^src/(server|mcp)/' },
      to: { path: '^src/(platforms|simulators|cli)/' },
    },
    {
      name: 'no-circular',
      comment: 'Cycles at run time. Types may refer to each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'type-import'] } },
    },
    {
      name: 'no-dev-dependency-in-source',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // TypeScript 7 has no JavaScript API for other tools, so swc reads the sources.
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
