// Package transfer carries lists out as files and files in as rows: exports as xlsx or CSV, imports from CSV with a dry run.
// It decides nothing about who may read or write a row: a Source and a Target are asked, as the person and with the
// rights of that moment. web and admin call it; command tells it which lists there are and lets it run.
package transfer
