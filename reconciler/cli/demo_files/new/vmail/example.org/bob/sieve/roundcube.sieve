require ["fileinto"];
# rule:[Lists]
if header :contains "list-id" "dev.example.org"
{
	fileinto "Lists";
	stop;
}
