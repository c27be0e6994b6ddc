/** The panel's words in German. The test of the catalogues holds them complete. */
import texts from './locale/de.json';
import type { Catalogue } from './translation';

export const catalogue: Catalogue = texts;
