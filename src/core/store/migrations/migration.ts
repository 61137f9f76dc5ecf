/** A step of the schema. Once released it is never edited: a later migration corrects it. */
export interface Migration {
  /** Number and name, as the file: they sort in the order they run. */
  readonly id: string;
  /** SQL that both engines understand, run one by one in one transaction. */
  readonly statements: readonly string[];
}
