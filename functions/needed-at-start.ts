/**
 * What every start needs of our own, apart from the functions. It is needed later too, by some parts and not by others, and the bundler
 * would split it into many small files by who needs it; build.ts has every file need it, so that it stays in one.
 */
import '../shared/config/loud.ts';
import '../shared/config/settings.ts';
import '../shared/contract/queue-names.ts';
import './once.ts';
import './queue-text.ts';
